"""Parts of pages that the customer's, the technician's and the dispatcher's pages share; knows none of them."""
