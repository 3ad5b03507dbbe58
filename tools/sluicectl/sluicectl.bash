# SPDX-License-Identifier: Apache-2.0
# Completion of sluicectl for bash. What it offers it asks of the running sluiced.

_sluicectl_call() {     # The arguments of the line that choose the daemon go along.
    sluicectl "${target[@]}" call "$@" 2>/dev/null
}

_sluicectl_bridges() {
    _sluicectl_call ofproto/list
}

_sluicectl_ports() {
    _sluicectl_call dpif/show | sed -n 's/^    \([^ ]*\) [0-9]*\/.*/\1/p'
}

_sluicectl() {
    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]} command= words= n=0 i
    local -a target=()

    COMPREPLY=()
    for ((i = 1; i < COMP_CWORD; i++)); do
        case ${COMP_WORDS[i]} in
        -t | --target) target=(-t "${COMP_WORDS[i + 1]}"); ((i++)) ;;
        -*) ;;
        *)
            if [[ -z $command ]]; then command=${COMP_WORDS[i]}; else ((n++)); fi
            ;;
        esac
    done
    if [[ $prev == -t || $prev == --target ]]; then
        mapfile -t COMPREPLY < <(compgen -f -- "$cur")
        return
    fi
    case $command:$n in
    :*)
        words="show dump-flows add-flow trace drops paths top call"
        [[ $cur != -* ]] || words="-t --target -j --json -h --help -V --version"
        ;;
    dump-flows:0 | add-flow:0 | trace:0) words=$(_sluicectl_bridges) ;;
    drops:0) words=$(_sluicectl_ports) ;;
    call:0) words=$(_sluicectl_call list-commands | awk 'NR > 1 {print $1}') ;;
    esac
    mapfile -t COMPREPLY < <(compgen -W "$words" -- "$cur")
}

complete -F _sluicectl sluicectl
