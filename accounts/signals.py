"""What other apps, which this one must not import, are told by it."""

from django.dispatch import Signal

#: An account is being deleted, inside the transaction; `user`, and `keep_published`: what was published stays,
#: under the name of a deleted user. Whatever else the person owns has to go. sender: the User class
account_deleting = Signal()
