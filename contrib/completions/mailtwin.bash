# bash completion for mailtwin

# The names of all sections of one kind in the configuration in use.
_mailtwin_names() {
    local file=${XDG_CONFIG_HOME:-$HOME/.config}/mailtwin/mailtwin.conf i

    for ((i = 1; i < COMP_CWORD; i++)); do
        case ${COMP_WORDS[i]} in
        -c | --config) file=${COMP_WORDS[i + 1]/#\~/$HOME} ;;
        esac
    done
    sed -n "s/^[[:blank:]]*\[$1[[:blank:]][[:blank:]]*\([^]]*\)\].*/\1/p" \
        "$file" 2>/dev/null
}

_mailtwin() {
    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]}
    local command= options i
    local IFS=$'\n'

    case $prev in
    -c | --config)
        COMPREPLY=($(compgen -f -- "$cur"))
        return
        ;;
    --state-dir)
        COMPREPLY=($(compgen -d -- "$cur"))
        return
        ;;
    --wait) return ;;
    esac
    for ((i = 1; i < COMP_CWORD; i++)); do
        case ${COMP_WORDS[i]} in
        sync | plan | check | status | probe)
            command=${COMP_WORDS[i]}
            break
            ;;
        esac
    done
    options=$'--config\n--state-dir\n--quiet\n--verbose\n--json\n--help\n--version'
    case $command in
    sync) options+=$'\n--dry-run\n--force-delete\n--wait' ;;
    plan) options+=$'\n--force-delete' ;;
    check) options+=$'\n--deep' ;;
    esac
    case $cur in
    -*) COMPREPLY=($(compgen -W "$options" -- "$cur")) ;;
    *)
        case $command in
        '') COMPREPLY=($(compgen -W $'sync\nplan\ncheck\nstatus\nprobe' -- "$cur")) ;;
        probe) COMPREPLY=($(compgen -W "$(_mailtwin_names account)" -- "$cur")) ;;
        *) COMPREPLY=($(compgen -W "$(_mailtwin_names pair)" -- "$cur")) ;;
        esac
        ;;
    esac
}

complete -F _mailtwin mailtwin
