"""An order business: a few hundred orders, taken through stock, payment and shipping by workers that may be killed."""
