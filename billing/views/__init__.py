"""The pages of Payments & Invoices: HTTP in, context out. What is read is in billing.queries."""
