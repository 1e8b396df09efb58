# An interactive zsh with the function _postern of the directory in COMPLETIONS, for terminal.py.
PS1='$ '
fpath=($COMPLETIONS $fpath)
autoload -Uz compinit
# Without -u, it asks about directories of other users; without -D, it writes a file.
compinit -u -D
zle -C all-matches complete-word _generic
zstyle ':completion:all-matches:*' insert yes
zstyle ':completion:all-matches::::' completer _all_matches _complete
report() { print -r -- "$BUFFER" >&3 }
zle -N report
bindkey -e
bindkey '^X^A' all-matches
bindkey '^X^P' report
bindkey '^U' kill-whole-line
print ready >&3
