"""The asset graph as one picture that a newcomer understands in a minute; as a program it prints it for the README.

Chapters whose assets are of one kind are one box. An arrow that follows from others is left out.
"""

from xai_assets.build import build_definitions

ONE_BOX = {"attribution": "masks", "evaluation": "measures", "models": "by_model", "reports": "reports"}
"""The chapters that are one box, by group, and what their assets' names end with or stand for."""

TITLES = {
    "inputs": "inputs",
    "dissection": "dissection: what have the units learned?",
    "attribution": "attribution: where did the model look?",
    "evaluation": "evaluation: what are the maps worth?",
    "models": "models: do several models differ?",
    "warehouse": "DuckDB",
    "reports": "PDF",
}


def picture():
    """A Mermaid flowchart of the code location's graph."""
    graph = build_definitions().resolve_asset_graph()
    group = {key.to_user_string(): graph.get(key).group_name for key in graph.get_all_asset_keys()}
    box = {name: ONE_BOX.get(group[name], name) for name in group}
    arrows = {
        (box[parent.to_user_string()], box[key.to_user_string()])
        for key in graph.get_all_asset_keys()
        for parent in graph.get(key).parent_keys
    }
    arrows = {(a, b) for a, b in arrows if a != b}
    lines = ["flowchart LR"]
    for chapter, title in TITLES.items():
        members = sorted(name for name in group if group[name] == chapter)
        lines.append(f'  subgraph {chapter}_ ["{title}"]')
        if chapter in ONE_BOX:
            lines.append(f'    {ONE_BOX[chapter]}["{"<br/>".join(members)}"]')
        else:
            lines += [f"    {name}" for name in members]
        lines.append("  end")
    assert set(group.values()) == set(TITLES)
    lines += [f"  {a} --> {b}" for a, b in sorted(arrows) if not _around(arrows, a, b)]
    return "\n".join(lines) + "\n"


def _around(arrows, a, b):
    """Whether one comes from `a` to `b` by way of others."""
    seen, left = set(), [after for before, after in arrows if before == a and after != b]
    while left:
        at = left.pop()
        if at == b:
            return True
        if at not in seen:
            seen.add(at)
            left += [after for before, after in arrows if before == at]
    return False


if __name__ == "__main__":
    print(picture(), end="")
