import Accounts
import Service

/// The words that complete a word of the command line, read from the placeholder that the help shows:
///
///     in-order|as-completed     two words
///     sales,system|read-only    words of a list that commas separate
///     DIR|:memory:|URI          directories, a word, and texts that nothing completes
///     directory:DIR             the start of a word, which goes on with a directory
///     smtp://HOST               the start of a word
struct Candidates: Equatable {
    /// Whole words.
    private(set) var words: [String] = []
    /// Whether the words are items of a list that commas separate.
    private(set) var isList = false
    /// Whether and which paths complete the word.
    private(set) var paths: Paths?
    /// The starts of words that go on.
    private(set) var starts: [Start] = []

    enum Paths { case files, directories }

    /// The start of a word, such as `directory:`, and the paths that follow it, if any.
    struct Start: Equatable {
        let text: String
        let paths: Paths?
    }

    /// - Parameter placeholder: the value of a flag, or an argument of a command.
    init(placeholder: String) {
        // The units in `NUMBER(m|h|d)` follow a number.
        guard !placeholder.contains("(") else { return }
        for form in placeholder.split(separator: "|").map(String.init) {
            switch form {
            case "COMMAND": words += Command.allCases.map(\.rawValue)
            case "METHOD": words += Method.allCases.map { $0.name.description }
            case "ACCOUNT": add("API:")
            case _ where form.hasPrefix("API:"): add("API:")
            default: add(form)
            }
        }
    }

    /// All candidates of several arguments that can be in one place.
    init(oneOf all: [Candidates]) {
        for other in all {
            words += other.words.filter { !words.contains($0) }
            isList = isList || other.isList
            paths = paths ?? other.paths
            starts += other.starts
        }
    }

    var isEmpty: Bool { words.isEmpty && starts.isEmpty && paths == nil }

    private mutating func add(_ form: String) {
        let start = String(form.prefix { !("A"..."Z").contains($0) })
        let place = form.dropFirst(start.count)
        let pathsHere: Paths? = ["DIR": .directories, "TO": .directories, "FILE": .files, "TRANSCRIPT": .files][place]
        switch (start.isEmpty, place.isEmpty) {
        case (true, _):
            if place == "API:" { starts = Realm.allCases.map { Start(text: "\($0.rawValue):", paths: nil) } }
            paths = paths ?? pathsHere
        case (false, false):
            starts.append(Start(text: start, paths: pathsHere))
        case (false, true):
            let items = start.split(separator: ",").map(String.init)
            isList = isList || items.count > 1
            words += items
        }
    }
}
