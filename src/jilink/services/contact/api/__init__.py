"""The same for programs: one router a noun."""

from jilink.services.contact.api import contacts, numbers, phones, queues, trunks

routers = (queues.router, numbers.router, phones.router, trunks.router, contacts.router)
