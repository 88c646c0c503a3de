"""The same for programs: one router a noun."""

from jilink.services.contact.api import numbers, phones, queues, trunks

routers = (queues.router, numbers.router, phones.router, trunks.router)
