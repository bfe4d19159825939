"""Renders the templates of a project for its hosts, as ansible-core's module `template` does.

Usage: render_project.py PROJECT. The project has `inventory/`, `templates/` and `files/`. Writes JSON to standard output:
{host: {template: {"ok": text} or {"error": message}}}.
"""

import json
import os
import sys
import warnings

warnings.simplefilter("ignore")

from ansible.inventory.manager import InventoryManager
from ansible.parsing.dataloader import DataLoader
from ansible.plugins.loader import init_plugin_loader
from ansible.template import AnsibleEnvironment, Templar, generate_ansible_template_vars
from ansible.utils.display import Display
from ansible.vars.hostvars import HostVars
from ansible.vars.manager import VariableManager

Display.warning = Display.deprecated = lambda *_, **__: None
init_plugin_loader()

project = os.path.abspath(sys.argv[1])
templates = os.path.join(project, "templates")
loader = DataLoader()
loader.set_basedir(project)
inventory = InventoryManager(loader=loader, sources=[os.path.join(project, "inventory")])
manager = VariableManager(loader=loader, inventory=inventory)
# It tells the manager of itself.
HostVars(inventory=inventory, variable_manager=manager, loader=loader)
uname = os.uname()
facts = {"architecture": uname.machine, "system": uname.sysname, "kernel": uname.release}


def rendered(host, name):
    path = os.path.join(templates, name)
    with open(path, "rb") as file:
        text = file.read().decode()
    variables = manager.get_vars(host=host)
    variables.update({f"ansible_{fact}": value for fact, value in facts.items()})
    variables.update(ansible_facts=facts, ansible_search_path=[project])
    variables.update(generate_ansible_template_vars(name, path))
    templar = Templar(loader, variables=variables).copy_with_new_env(
        environment_class=AnsibleEnvironment, searchpath=[templates, project], available_variables=variables
    )
    overrides = {"trim_blocks": True, "lstrip_blocks": False}
    return templar.do_template(text, escape_backslashes=False, overrides=overrides)


def outcome(host, name):
    try:
        return {"ok": rendered(host, name)}
    except Exception as error:
        return {"error": f"{type(error).__name__}: {error}"}


names = sorted(os.listdir(templates))
answer = {host.name: {name: outcome(host, name) for name in names} for host in inventory.get_hosts()}
json.dump(answer, sys.stdout)
