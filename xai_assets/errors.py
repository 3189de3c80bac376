"""The one error that users see: it names the thing, the reason and the remedy."""


class XaiError(Exception):
    """Something a person can mend.

    Args:
        what: the thing, by name (a file, a layer, a study's field).
        why: the reason.
        remedy: what to do about it.
    """

    def __init__(self, what: str, why: str, remedy: str) -> None:
        self.what, self.why, self.remedy = what, why, remedy
        super().__init__(f"{what}: {why}. {remedy}")

    def __reduce__(self) -> tuple[type["XaiError"], tuple[object, ...]]:
        # Exceptions cross process borders between steps; the default would call __init__ with one argument.
        return type(self), (self.what, self.why, self.remedy)
