"""The waiting list: whoever found no slot is offered the next one that comes free, in the order of joining.

`joining` keeps the queue, `offering` looks for slots and keeps one for whoever is asked, `answering` takes the answer.
Locks: an entry of the list before the technician's slot, in every verb.
"""
