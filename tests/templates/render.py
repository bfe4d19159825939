"""Renders templates as ansible-core does: reads JSON from standard input, writes JSON to standard output.

In:  {"variables": {...}, "templates": ["...", ...]}
Out: [{"file": ..., "value": ...}, ...], one for each template: what the module `template` makes of it as a file, and what it
is as the value of a variable. Each is {"ok": ...} or {"error": "..."}.
"""

import json
import os
import sys
import warnings

warnings.simplefilter("ignore")

from ansible.parsing.dataloader import DataLoader
from ansible.plugins.loader import init_plugin_loader
from ansible.template import AnsibleEnvironment, Templar
from ansible.utils.display import Display

Display.warning = Display.deprecated = lambda *_, **__: None
init_plugin_loader()

asked = json.load(sys.stdin)
loader = DataLoader()
loader.set_basedir(os.getcwd())


def outcome(render):
    try:
        value = render()
        return {"ok": json.loads(json.dumps(value))}
    except Exception as error:
        return {"error": f"{type(error).__name__}: {error}"}


def as_file(text):
    templar = Templar(loader, variables=asked["variables"])
    templar = templar.copy_with_new_env(environment_class=AnsibleEnvironment, searchpath=[os.getcwd()])
    overrides = {"trim_blocks": True, "lstrip_blocks": False}
    return templar.do_template(text, escape_backslashes=False, overrides=overrides)


def as_value(text):
    return Templar(loader, variables=asked["variables"]).template(text)


answers = [
    {"file": outcome(lambda: as_file(text)), "value": outcome(lambda: as_value(text))} for text in asked["templates"]
]
json.dump(answers, sys.stdout)
