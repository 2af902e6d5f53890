"""What one may type: the end of each subcommand's help, and of its part of the reference."""

EXAMPLES = {
    "run": (
        "tidegate run report.py",
        "tidegate run report.py report_wf --data '[1, 2, 3]'",
        "tidegate run report.py report_wf --data @data.json --answer title=Ours --answer review=true",
        "tidegate run report.py report_wf --data @data.json --detach --json",
    ),
    "list": (
        "tidegate list --phase waiting --phase failed",
        "tidegate list --workflow report.report_wf --limit 5",
    ),
    "show": ("tidegate show 2ck3", "tidegate show 2ck3irj5vlhvzmx6 --json"),
    "inbox": ("tidegate inbox", "tidegate inbox --full", "tidegate inbox --all --json"),
    "answer": (
        "tidegate answer 2ck3 title 'Quarterly report'",
        "tidegate answer 2ck3 limits '{\"low\": 1, \"high\": 2.5}' --comment 'as agreed'",
        "tidegate answer 2ck3 letter @letter.txt",
    ),
    "approve": ("tidegate approve 2ck3 review --comment 'looks right'",),
    "reject": ("tidegate reject 2ck3 review --comment 'the mean is wrong'",),
    "abort": ("tidegate abort 2ck3 --reason 'launched by mistake'",),
    "resume": ("tidegate resume", "tidegate resume 2ck3", "tidegate resume --detach"),
    "logs": ("tidegate logs 2ck3", "tidegate logs 2ck3 create_report"),
    "events": ("tidegate events 2ck3", "tidegate events 2ck3 --json"),
    "deck": ("tidegate deck 2ck3 plot", "tidegate deck 2ck3 plot --open plot.html"),
    "register": (
        "tidegate register report.py",
        "tidegate register src --version 1.2 --remote",
    ),
    "serve": (
        "tidegate serve",
        "tidegate serve --port 0 --workers 4",
        "tidegate serve --host 0.0.0.0 --tls-cert cert.pem --tls-key key.pem --allow-host tidegate.example",
    ),
    "demo": ("tidegate demo", "tidegate demo --home /tmp/try-it --port 0"),
    "doctor": ("tidegate doctor", "tidegate doctor --json"),
}
"""By the name of the subcommand. `2ck3` is the beginning of an execution's id."""


def epilog(name: str) -> str | None:
    """Return the end of a subcommand's help, if there is one."""
    lines = EXAMPLES.get(name)
    return (
        None if lines is None else "\n".join(["\b", "Examples:", *(f"  {each}" for each in lines)])
    )
