"""Makes the projects that the benchmarks run: N tasks in the proportions of base50, one that reads variables, one with
many hosts.

base50 is 10 directories, 20 templates of 1 KB, 10 copies of 2 KB, 5 links and 5 line edits. `make(where, target, tasks)` writes
a playbook, `bench.rhai`, whose hosts are `all` and whose tasks touch only what lies below `target` on the host.
"""

from pathlib import Path

TEMPLATE = """# {{ name }}: made for {{ inventory_hostname }}
{% for number in range(14) %}
setting_{{ number }} = {{ base + number }}  # a line of configuration that is about as long as such lines are
{% endfor %}
"""


def make(where: Path, target: str, tasks: int = 50, placement: str = "host") -> Path:
    """Writes the project and returns the playbook's path."""
    scale = tasks // 50
    for folder in ("templates", "files"):
        (where / folder).mkdir(parents=True, exist_ok=True)
    (where / "refrain.toml").write_text("")
    calls = []
    for index in range(10 * scale):
        calls.append(f'file::directory("{target}/directory{index}", #{{ mode: "0755" }});')
    for index in range(20 * scale):
        (where / "templates" / f"file{index}.j2").write_text(TEMPLATE)
        calls.append(
            f'file::template("file{index}.j2", "{target}/directory{index % (10 * scale)}/template{index}.conf", '
            f'#{{ mode: "0644", vars: #{{ name: "file {index}", base: {index} }} }});'
        )
    for index in range(10 * scale):
        line = f"copy {index}: the quick brown fox jumps over the lazy dog\n"
        (where / "files" / f"copy{index}").write_text(line * (2048 // len(line)))
        calls.append(f'file::copy("copy{index}", "{target}/directory{index}/copy{index}", #{{ mode: "0600" }});')
    for index in range(5 * scale):
        calls.append(f'file::link("{target}/link{index}", "directory{index}/copy{index}");')
    for index in range(5 * scale):
        calls.append(
            f'file::line("{target}/directory{index}/lines.conf", "option{index} = yes", '
            f'#{{ regexp: "^option{index} *=", create: true }});'
        )
    body = "\n    ".join(calls)
    playbook = where / "bench.rhai"
    playbook.write_text(
        f'play("base{tasks}", #{{ hosts: "all", placement: "{placement}" }}, || {{\n    file::directory("{target}");\n    {body}\n}});\n'
    )
    return playbook


def make_reading(where: Path, hosts: int) -> Path:
    """Writes a project whose play reads a few of 200 variables, and one of another host, and returns the playbook's path."""
    group_vars = where / "inventory" / "group_vars"
    group_vars.mkdir(parents=True, exist_ok=True)
    (where / "refrain.toml").write_text("")
    (where / "inventory" / "hosts").write_text(
        f'[web]\nnode[1:{hosts}] url="http://{{{{ inventory_hostname }}}}:{{{{ port }}}}/" port=80\n\n[db]\ndb[1:3] address=192.0.2.1\n'
    )
    lines = [f'text{n}: "{{{{ list{n} }}}} of {{{{ port }}}}"\nlist{n}: [1, 2, "{{{{ inventory_hostname }}}}"]\n' for n in range(100)]
    (group_vars / "all.yml").write_text("".join(lines))
    playbook = where / "reading.rhai"
    playbook.write_text(
        'play("reading", #{ hosts: "web" }, || {\n'
        '    file::content("/read", `${vars.text1} ${vars.url} ${hostvars("db1").address} ${groups["db"].len()}`);\n'
        "});\n"
    )
    return playbook


def make_large(where: Path, hosts: int = 10_000, groups: int = 200) -> Path:
    """Writes a project with many hosts in groups inside of groups, and returns its playbook's path."""
    inventory = where / "inventory"
    for directory in ("group_vars", "host_vars"):
        (inventory / directory).mkdir(parents=True)
    (where / "refrain.toml").write_text("")
    (inventory / "group_vars" / "all.yml").write_text(
        "domain: example.org\nfqdn: '{{ inventory_hostname }}.{{ domain }}'\nansible_host: '{{ fqdn }}'\n"
    )
    sites, each = 4, hosts // groups
    lines = []
    for group in range(groups):
        first = group * each + 1
        lines += [f"[group{group}]", f"node[{first}:{first + each - 1}] rack={group % 7}"]
        (inventory / "group_vars" / f"group{group}.yml").write_text(f"rank: {group}\nservices: [a, b, '{{{{ rank }}}}']\n")
    for site in range(sites):
        lines += [f"[site{site}:children]", *(f"group{group}" for group in range(site, groups, sites))]
    (inventory / "hosts").write_text("\n".join(lines) + "\n")
    for host in range(1, hosts, 100):
        (inventory / "host_vars" / f"node{host}.yml").write_text(f"serial: {host}\n")
    playbook = where / "all.rhai"
    playbook.write_text('play("All", #{ hosts: "all" }, || {\n    file::content("/rank", vars.rank);\n});\n')
    return playbook
