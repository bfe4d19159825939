//! What the host is, as scripts and templates see it.

use crate::support::project::Project;

#[test]
fn scripts_and_templates_see_the_same_host() {
    let project = Project::of(
        r##"
        const OWN = "{{ facts.kernel.name }} {{ facts['no such'] is defined }} {{ 'cpu' in facts }}";
        const ANSIBLE = "{{ ansible_system }} {{ ansible_facts.system }} {{ ansible_facts['lo'].device }}";
        const WHOLE = "{{ facts | length > 15 }} {{ (ansible_facts | dict2items | length) > 80 }} {{ facts is mapping }}";
        let variables = #{ own: OWN, ansible: ANSIBLE, whole: WHOLE, name: "{{ ansible_hostname }}" };
        play("Test", #{ hosts: "localhost", connection: "local", vars: variables }, || {
            print(facts.kernel.name);
            print(vars.own);
            print(vars.ansible);
            print(vars.whole);
            print(`${facts.hostname == vars.name}`);
            try { facts.kernle } catch (e) { print(e.message); }
        });
        "##,
    );
    let run = project.refrain(&["run", "site.rhai", "--output", "json"]).expect(0);
    let events =
        run.stdout.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).expect("an event"));
    let printed: Vec<String> =
        events.filter_map(|event| Some(event.get("text")?.as_str()?.to_owned())).collect();
    assert_eq!(
        printed,
        [
            "Linux",
            "Linux False True",
            "Linux Linux lo",
            "True True True",
            "true",
            "there is no fact `kernle` on `localhost`",
        ]
    );
}
