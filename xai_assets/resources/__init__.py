"""What assets borrow: the artifact store, the tables between assets, the warehouse.

Here stands how and where results are kept. What a result is, and how it is made, stands on the lower floor.
"""
