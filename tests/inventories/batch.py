"""Answers questions about inventories with ansible-core: one JSON request a line in, one answer a line out.

A process of Ansible's own for each question would take half a second; what answers here is the code of its programs.
"""

import contextlib
import io
import json
import os
import sys
import warnings

from ansible.cli.inventory import InventoryCLI
from ansible.errors import AnsibleError
from ansible.inventory.manager import InventoryManager
from ansible.parsing.ajson import AnsibleJSONEncoder
from ansible.parsing.dataloader import DataLoader
from ansible.plugins.loader import init_plugin_loader
from ansible.template import Templar
from ansible.utils.context_objects import GlobalCLIArgs
from ansible.utils.display import Display
from ansible.vars.manager import VariableManager


def inventory(arguments):
    """What `ansible-inventory` prints."""
    # The arguments of a process are there once.
    GlobalCLIArgs._Singleton__instance = None
    out = io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(io.StringIO()):
        try:
            InventoryCLI(["ansible-inventory", *arguments]).run()
            code = 0
        except SystemExit as end:
            code = end.code or 0
        except (AnsibleError, OSError) as error:
            return {"code": 1, "error": str(error)}
    return {"code": code, "out": out.getvalue()}


def values(sources, hosts, names):
    """What `debug` shows of variables: each as JSON, or null where it fails."""
    loader = DataLoader()
    manager = InventoryManager(loader=loader, sources=sources)
    variables = VariableManager(loader=loader, inventory=manager)
    found = {}
    for host in hosts:
        known = variables.get_vars(host=manager.get_host(host))
        templar = Templar(loader=loader, variables=known)
        found[host] = {name: value(templar, name) for name in names if name in known}
    return found


def value(templar, name):
    try:
        rendered = templar.template("{{%s}}" % name, fail_on_undefined=True)
        return {"value": json.loads(json.dumps(rendered, cls=AnsibleJSONEncoder))}
    except (AnsibleError, RecursionError) as error:
        return {"error": str(error)}


def select(sources, patterns):
    """The hosts that patterns select: null where that is an error."""
    manager = InventoryManager(loader=DataLoader(), sources=sources)
    found = []
    for pattern in patterns:
        try:
            found.append([host.name for host in manager.list_hosts(pattern)])
        except (AnsibleError, ValueError, IndexError) as error:
            found.append(None)
    return found


def answer(request):
    os.chdir(request["directory"])
    # As the programs of Ansible do with theirs.
    request["sources"] = [os.path.abspath(source) for source in request.get("sources", [])]
    if "arguments" in request:
        return inventory(request["arguments"])
    if "patterns" in request:
        return select(request["sources"], request["patterns"])
    return values(request["sources"], request["hosts"], request["names"])


def main():
    answers = sys.stdout
    # Warnings are not what is compared.
    Display.warning = lambda *_, **__: None
    warnings.simplefilter("ignore")
    init_plugin_loader()
    with contextlib.redirect_stdout(sys.stderr):
        for line in sys.stdin:
            try:
                result = answer(json.loads(line))
            except AnsibleError as error:
                result = {"error": str(error)}
            answers.write(json.dumps(result) + "\n")
            answers.flush()


main()
