# SPDX-License-Identifier: GPL-3.0-or-later
"""What a user of a deployment does from outside: on the socket, over TLS, with none of the collection's code."""
