"""Scenarios: what happened at the gateways, in plain words, and what must stand in the books then.

One text file each, for readers who know invoices and not code::

    Title
    A sentence or two that say why it matters.

    shapes: 2022 basil

    events:
      10:00:00 stripe invoice.finalized in_1 number=INV-1 customer=cus_1 total=49.00 USD tax=4.04
      10:00:05 stripe invoice.paid in_1 as paid

    expect:
      invoice INV-1 paid 49.00 USD tax 4.04 refunded 0.00 tenant acme
      totals USD revenue 49.00 refunded 0.00 pending 0.00 disputed 0.00
      count paid 1 pending 0 void 0

*Events* stand in the order in which they happened: time (with ``MM-DD`` before it on another day
than the first), gateway, event type, id of the object, and what is new about it. What was said of
an object before need not be repeated. Amounts are in major units. ``as`` names an event.
``field:=json`` puts a raw value into the object, for what a gateway should never send.

*Shapes* are Stripe's ways of writing the same: ``2022`` (before the API version of 31 March 2025,
"basil") and ``basil`` (from then on); a scenario is played in each, in both where none is named.

A line ``orders: every`` asks for every order there is, beside the usual ones. A line ``open: why``
marks a scenario that the product does not fulfil yet: it must fail until the line is taken out.

*Expectations* about invoices, refunds, disputes, notices, conflicts and totals are complete: what
is not listed must not be there. Details of a line that are left out are not looked at. Events are
expected to be ``processed`` unless a ``state`` line says otherwise. A refund that is ``unnamed``
is one that no event named, known only from what its payment says was refunded in all.
"""
