"""Steps on several hosts, through Celery and Redis: imported only where a run or a worker asks for it.

A step is a message in its queue until a worker has done it. The message of a worker that gives no sign of life any more
goes to another, once.
"""
