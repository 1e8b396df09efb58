# An interactive bash with the completions of the file in COMPLETIONS, for terminal.py.
PS1='$ '
unset HISTFILE
# shellcheck source=/dev/null
. "$COMPLETIONS"
bind 'set enable-bracketed-paste off'
bind '"\C-x\C-a": insert-completions'
bind -x '"\C-x\C-p": printf "%s\n" "$READLINE_LINE" >&3'
echo ready >&3
