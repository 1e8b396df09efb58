/// The man page postern(1), generated from the tables of commands and flags.
struct ManPage {
    let text: String

    init() {
        text = [
            Self.head, Self.description, Self.commands, Self.flags, Self.exitStatus, Self.files, Self.examples,
            Self.references,
        ].joined(separator: "\n")
    }

    /// The heading has no date: the page is the same whenever it is printed.
    private static var head: String {
        """
        .\\" Printed by postern man.
        .TH POSTERN 1 "" "postern \(Postern.version)" "User Commands"
        \(Roff.section("NAME"))
        postern \\- user accounts through a pipe
        \(Roff.section("SYNOPSIS"))
        \(Roff.bold("postern")) [\(Roff.italic("COMMAND"))] [\(Roff.italic("flags"))]
        """
    }

    private static var description: String {
        let paragraphs = [
            "Postern has the accounts of the users of another program: registration, sign-in, sessions, profiles, "
                + "password resets and confirmed emails. That program starts postern, writes JSON-RPC 2.0 requests to "
                + "its stdin, and reads replies from its stdout. postern ends at the end of its stdin.",
            "The accounts are in a directory, which several processes can use at the same time. The commands for "
                + "administrators work while a server runs.",
            "The methods are described by postern schema, and by the method rpc.discover.",
        ]
        return ([Roff.section("DESCRIPTION")] + [paragraphs.map(Roff.prose).joined(separator: "\n.PP\n")])
            .joined(separator: "\n")
    }

    private static var commands: String {
        let entries = Command.allCases.map { command in
            let words = command.words.isEmpty ? "" : " " + Roff.italic(command.words)
            return Roff.entry(
                Roff.bold("postern \(command.rawValue)") + words,
                Roff.prose(command.summary.capitalizedFirst + ".")
            )
        }
        return ([Roff.section("COMMANDS")] + entries).joined(separator: "\n")
    }

    private static var flags: String {
        let head = Roff.prose(
            "A flag can also be set by its environment variable, if one is named below; the command line takes "
                + "precedence. The variable of a flag without a value is 1 or 0. Defaults are in parentheses."
        )
        let entries = Flag.all.map { flag in
            let value = flag.value.map { " " + Roff.italic($0) } ?? ""
            let commands =
                Command.onStore.allSatisfy(flag.commands.contains)
                ? "all on a store, and test" : flag.commands.map(\.rawValue).joined(separator: ", ")
            let place = "Commands: \(commands)." + (flag.isOnlyGiven ? "" : " Variable: \(flag.variable).")
            return Roff.entry(
                Roff.bold(flag.word) + value,
                Roff.prose(flag.summary.capitalizedFirst + ".") + "\n.br\n" + Roff.prose(place)
            )
        }
        return ([Roff.section("FLAGS"), head] + entries).joined(separator: "\n")
    }

    private static var exitStatus: String {
        let entries = ExitStatus.allCases.map { status in
            Roff.entry(Roff.bold("\(status.rawValue)"), Roff.prose(status.meaning))
        }
        return ([Roff.section("EXIT STATUS")] + entries).joined(separator: "\n")
    }

    private static var files: String {
        let folder = "\(Options.defaultData)"
        let entries = [
            (folder, "The store, unless --data names another: a directory that only its owner can read."),
            (
                "\(folder)/journal-N.jsonl, \(folder)/base-N.jsonl",
                "All records as lines of JSON. postern backup copies them consistently; do not copy the files of a "
                    + "running process."
            ),
            ("\(folder)/lock", "The lock between processes. Never delete it."),
        ].map { Roff.entry(Roff.italic($0), Roff.prose($1)) }
        return ([Roff.section("FILES")] + entries).joined(separator: "\n")
    }

    /// Command lines that work in this order in an empty directory.
    private static var examples: String {
        let examples = [
            (
                "Create a store, and register an operator:",
                [
                    "postern serve < /dev/null",
                    "printf secret > password",
                    "postern call operators.register user.first_name=Ann user.last_name=Lee \\",
                    "    user.email=ann@b.co password=@password",
                ]
            ),
            (
                "List the accounts of an API, and show one:",
                ["postern account list --api operators", "postern account show operators:ann@b.co"]
            ),
            ("Show the mails that wait in the outbox:", ["postern outbox list"]),
            (
                "Copy the store while other processes use it, and verify the copy:",
                ["postern backup copy", "postern check --data copy"]
            ),
            (
                "Install the completions of bash for one user:",
                [
                    "mkdir -p ~/.local/share/bash-completion/completions",
                    "postern completions bash > ~/.local/share/bash-completion/completions/postern",
                ]
            ),
        ]
        let blocks = examples.map { Roff.prose($0) + "\n.PP\n" + Roff.example($1) }
        return Roff.section("EXAMPLES") + "\n" + blocks.joined(separator: "\n.PP\n")
    }

    private static var references: String {
        "\(Roff.section("SEE ALSO"))\n.BR jq (1),\n.BR msmtp (1),\n.BR pam_exec (8),\n.BR systemd.service (5)"
    }
}

extension Command {
    /// Prints the man page.
    func printManPage() { print(ManPage().text) }
}
