/// The texts of `--help`, generated from the tables of commands and flags.
enum Help {
    /// The help of the command with that name; nil gives the overview of all commands.
    static func text(about name: String?) throws(CommandError) -> String {
        guard let name else { return overview }
        guard let command = Command.named(name) else { throw .unknownCommand(name) }
        let flags = Flag.all.filter { $0.commands.contains(command) }
        let usage = ["Usage: postern \(command.rawValue)", command.words, flags.isEmpty ? "" : "[flags]"]
        let head = [usage.filter { !$0.isEmpty }.joined(separator: " "), "", command.summary.capitalizedFirst + "."]
        // A test reads no variable, so that it cannot use a store beside it.
        let title = command == .test ? "Flags:" : flagsTitle
        return (head + (flags.isEmpty ? [] : ["", title] + lines(on: flags))).joined(separator: "\n")
    }

    private static var overview: String {
        let commands = Command.allCases.map { command in
            row("postern \(command.rawValue) \(command.words)", command.summary)
        }
        let head = ["Usage: postern [COMMAND] [flags]", "", "User accounts through a pipe.", ""]
        let end = ["", "Documentation of the methods: postern schema, or the method rpc.discover."]
        return (head + commands + ["", flagsTitle] + lines(on: Flag.all) + end).joined(separator: "\n")
    }

    private static let flagsTitle =
        "Flags; unless marked otherwise, each can also be set by an environment variable POSTERN_<FLAG>:"

    private static func lines(on flags: [Flag]) -> [String] {
        flags.map { row("--\($0.name) \($0.value ?? "")", $0.summary + ($0.isOnlyGiven ? " [no variable]" : "")) }
    }

    private static func row(_ name: String, _ text: String) -> String {
        let width = 38
        let name = "  " + name
        let isLong = name.utf8.count >= width
        return name + (isLong ? "\n" : "") + String(repeating: " ", count: isLong ? width : width - name.utf8.count)
            + text
    }
}

extension String {
    /// The text with its first letter in upper case.
    var capitalizedFirst: String { prefix(1).uppercased() + dropFirst() }
}
