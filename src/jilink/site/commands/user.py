"""`jilink user`: accounts, for whoever has the machine."""

import getpass
import sys
from typing import Annotated

import typer
from django.db import transaction
from rich.console import Console
from rich.table import Table

from jilink.core.parties import access, actions, reads
from jilink.core.parties.invitations import actions as invitations
from jilink.core.parties.rules import Permission, Role
from jilink.kernel.errors import Refused
from jilink.kernel.settings import Settings
from jilink.site import first_login, preparation
from jilink.site.commands.up import web_address

_EPILOG = """
Examples:

  jilink user add wang --organisation 运营中心 --role dispatcher

  jilink user add wang --generate    makes a password and shows it once

  jilink user password wang          asks for it twice

  jilink user password wang --generate

  jilink user invite 王芳 --role agent   shows a link by which she makes her account

  jilink user factors wang           for somebody who lost the second factor

  jilink user remove wang            signs the person out for good

  jilink user list
"""

app = typer.Typer(epilog=_EPILOG)


class NoSuchOrganisation(Refused):
    """No organisation, or more than one, has that name."""


class NoSuchAccount(Refused):
    """No account has that name."""


class PasswordsDiffer(Refused):
    """The password was not typed the same twice."""


@app.command("add")
def add(
    name: str = typer.Argument(help="Name to sign in with.", metavar="NAME"),
    organisation: str = typer.Option("", help="Organisation the person belongs to; may be left out while there is one at the top."),
    role: Annotated[Role, typer.Option(help="What the person may do in it and in everything below.")] = Role.DISPATCHER,
    generate: bool = typer.Option(False, "--generate", help="Make a password and show it once."),
) -> None:
    """Add a person with a role in an organisation."""
    preparation.require_prepared()
    by = access.system("user")
    place = _organisation(organisation, by)
    password = _password(generate=generate)
    with transaction.atomic():
        user = actions.add_user(username=name, password=password, by=by)
        actions.set_role(user=user, organisation=place.id, role=role, by=by)
    if generate:
        _show(password)
    typer.echo(f"{name} is now {role} in {place.name}.")


@app.command("password")
def set_password(
    name: str = typer.Argument(help="Name the person signs in with.", metavar="NAME"),
    generate: bool = typer.Option(False, "--generate", help="Make a password and show it once."),
) -> None:
    """Give a person a new password; whoever is signed in under that name is signed out."""
    preparation.require_prepared()
    _require_account(name)
    password = _password(generate=generate)
    actions.set_password(username=name, password=password, by=access.system("user"))
    if generate:
        _show(password)
    typer.echo(f"{name} has a new password.")


@app.command("invite")
def invite(
    name: str = typer.Argument(help="Who is invited, as others will read it.", metavar="NAME"),
    organisation: str = typer.Option("", help="Organisation the person will belong to; may be left out while there is one at the top."),
    role: Annotated[Role, typer.Option(help="What the person may do in it.")] = Role.AGENT,
) -> None:
    """Show a link by which a person makes an account, once and within a week."""
    preparation.require_prepared()
    by = access.system("user")
    place = _organisation(organisation, by)
    made = invitations.invite(organisation=place.id, name=name, role=role, by=by)
    address = web_address(Settings.from_environment()).rstrip("/")
    typer.echo(f"{address}/accounts/invitation/{made.secret}/")


@app.command("factors")
def forget_factors(name: str = typer.Argument(help="Name the person signs in with.", metavar="NAME")) -> None:
    """Take a person's second factors away; where the role needs one, the next sign-in asks for a new one."""
    preparation.require_prepared()
    _require_account(name)
    actions.forget_factors(username=name, by=access.system("user"))
    typer.echo(f"{name} signs in with the password alone, and sets up a new second factor where the role needs one.")


@app.command("remove")
def remove(name: str = typer.Argument(help="Name the person signs in with.", metavar="NAME")) -> None:
    """Remove a person's account; what they did stays in the audit, under a number."""
    preparation.require_prepared()
    _require_account(name)
    actions.remove_user(username=name, by=access.system("user"))
    typer.echo(f"{name} is removed.")


@app.command("list")
def list_accounts() -> None:
    """List all accounts with their roles."""
    preparation.require_prepared()
    table = Table("name", "active", "roles")
    for account in reads.accounts():
        table.add_row(account.username, "yes" if account.active else "no", ", ".join(account.roles))
    Console().print(table)


def _require_account(name: str) -> None:
    if reads.user_id(name) is None:
        raise NoSuchAccount(f"there is no account named {name}; see: jilink user list")


def _organisation(name: str, by: access.Actor) -> reads.OrganisationName:
    known = reads.choices(by, Permission.MANAGE_MEMBERS)
    found = [choice for choice in known if choice.name == name or (not name and choice.depth == 0)]
    if len(found) != 1:
        names = ", ".join(choice.name for choice in known)
        raise NoSuchOrganisation(f"name one organisation with --organisation; there are: {names}")
    return found[0]


def _show(password: str) -> None:
    typer.echo(f"Password, shown this once: {password}")


def _password(*, generate: bool) -> str:
    """Return a generated password, one typed twice, or one line of standard input when that is no terminal."""
    if generate:
        return first_login.generate_password()
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\n")
    password = getpass.getpass("Password: ")
    if getpass.getpass("Again: ") != password:
        raise PasswordsDiffer("the two passwords differ; nothing was changed")
    return password
