# fish completion for mailtwin

# The names of all sections of one kind in the configuration in use.
function __mailtwin_names
    set -l base $XDG_CONFIG_HOME
    test -n "$base"; or set base ~/.config
    set -l file $base/mailtwin/mailtwin.conf
    set -l words (commandline -opc)
    for i in (seq (count $words))
        if contains -- $words[$i] -c --config; and set -q words[(math $i + 1)]
            set file (string replace -r '^~' $HOME $words[(math $i + 1)])
        end
    end
    sed -n "s/^[[:blank:]]*\[$argv[1][[:blank:]][[:blank:]]*\([^]]*\)\].*/\1/p" $file 2>/dev/null
end

set -l commands sync plan check status probe

complete -c mailtwin -f
complete -c mailtwin -s c -l config -r -F -d 'Configuration file'
complete -c mailtwin -l state-dir -r -a '(__fish_complete_directories)' -d 'Where the state is'
complete -c mailtwin -s q -l quiet -d 'Nothing but errors and held work'
complete -c mailtwin -s v -l verbose -d 'One line per action; twice: the protocol'
complete -c mailtwin -l json -d 'JSON objects on standard output'
complete -c mailtwin -l version -d 'Print the version'
complete -c mailtwin -s h -l help -d 'Print help'

complete -c mailtwin -n "not __fish_seen_subcommand_from $commands" -a sync -d 'Bring pairs into step, once'
complete -c mailtwin -n "not __fish_seen_subcommand_from $commands" -a plan -d 'Say what sync would do'
complete -c mailtwin -n "not __fish_seen_subcommand_from $commands" -a check -d 'Compare both sides'
complete -c mailtwin -n '__fish_seen_subcommand_from check' -l deep -d 'Compare every byte'
complete -c mailtwin -n "not __fish_seen_subcommand_from $commands" -a status -d 'Last runs, and what is held back'
complete -c mailtwin -n "not __fish_seen_subcommand_from $commands" -a probe -d 'What an account can do, and its folders'

complete -c mailtwin -n '__fish_seen_subcommand_from sync' -s n -l dry-run -d 'The same as plan'
complete -c mailtwin -n '__fish_seen_subcommand_from sync plan' -l force-delete -d 'Let held deletions through, this once'
complete -c mailtwin -n '__fish_seen_subcommand_from sync' -l wait -x -d 'Seconds to wait for another run'
complete -c mailtwin -n '__fish_seen_subcommand_from sync plan check status' -a '(__mailtwin_names pair)'
complete -c mailtwin -n '__fish_seen_subcommand_from probe' -a '(__mailtwin_names account)'
