"""
Shell completion: `tidegate completion bash|zsh|fish` prints a script for the shell to source.

The shell then calls the command itself, with the typed text, and `_TIDEGATE_COMPLETE` in its environment (see `completing`). No error
reaches the prompt: the shell discards standard error.
"""

import click

VARIABLE = "_TIDEGATE_COMPLETE"

# Bash handles quotes itself and breaks words at more than blanks, so it passes the whole line. Bash before 4.4, as on macOS, cannot
# preserve the order.
BASH = """\
_tidegate_completion() {
    local line
    COMPREPLY=()
    while IFS= read -r line; do
        COMPREPLY+=("$line")
    done < <(_TIDEGATE_COMPLETE=bash TIDEGATE_BREAKS="$COMP_WORDBREAKS" \\
        "$1" "${COMP_LINE:0:$COMP_POINT}" 2>/dev/null </dev/null)
}
complete -o nospace -o nosort -F _tidegate_completion tidegate 2>/dev/null ||
    complete -o nospace -F _tidegate_completion tidegate
"""

ZSH = """\
#compdef tidegate
_tidegate() {
    local value help
    local -a whole open whole_shown open_shown
    while IFS=$'\\t' read -r value help; do
        if [[ $value == */ || $value == *= ]]; then
            open+=("$value"); open_shown+=("$value")
        else
            whole+=("$value"); whole_shown+=("$value${help:+  -- $help}")
        fi
    done < <(_TIDEGATE_COMPLETE=zsh "${words[1]}" "${(@Q)words[2,CURRENT]}" 2>/dev/null </dev/null)
    (( $#whole )) && compadd -V tidegate -l -d whole_shown -a whole
    (( $#open )) && compadd -V paths -S '' -d open_shown -a open
}
if [[ ${zsh_eval_context[-1]} == loadautofunc ]]; then
    _tidegate "$@"
else
    compdef _tidegate tidegate
fi
"""

FISH = """\
function __tidegate_complete
    set -l words (commandline -opc) (commandline -ct | string unescape)
    test (count (commandline -ct)) -eq 0; and set -a words ''
    env _TIDEGATE_COMPLETE=fish $words 2>/dev/null </dev/null
end
complete -c tidegate -f -k -a '(__tidegate_complete)'
"""

SCRIPTS = {"bash": BASH, "zsh": ZSH, "fish": FISH}


@click.command("completion")
@click.argument("shell", metavar="bash|zsh|fish", type=click.Choice(list(SCRIPTS)))
def completion_command(*, shell: str) -> None:
    """
    Print a completion script for a shell: it completes commands, workflows, ids, gates and files.

    For bash, put eval "$(tidegate completion bash)" into ~/.bashrc. For zsh, put eval "$(tidegate completion zsh)" into ~/.zshrc, after compinit.
    For fish, run tidegate completion fish > ~/.config/fish/completions/tidegate.fish
    """
    click.echo(SCRIPTS[shell], nl=False)
