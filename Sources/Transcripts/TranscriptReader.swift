import JSON

/// Reads a transcript line by line.
struct TranscriptReader {
    private let name: String
    private var line = 0
    private var first: (title: String, arguments: [String])?
    private(set) var steps: [TranscriptStep] = []
    /// The names that the steps so far keep.
    private var names: Set<String> = []

    init(name: String) {
        self.name = name
    }

    /// Reads the next line, without its line feed.
    mutating func read(_ bytes: some Collection<UInt8>) throws(TranscriptError) {
        line += 1
        // Empty lines, and the carriage return of files from Windows.
        if bytes.allSatisfy({ $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\t") || $0 == UInt8(ascii: "\r") }) {
            return
        }
        let properties = try object(in: bytes)
        guard first != nil else {
            first = try head(properties)
            return
        }
        if let note = properties["note"] {
            try allow(["note"], in: properties)
            guard note.string != nil else { throw error("note must be a string") }
        } else {
            try read(step: properties)
        }
    }

    /// The title and the arguments, once all lines are read.
    func head() throws(TranscriptError) -> (title: String, arguments: [String]) {
        guard let first else { throw TranscriptError(name: name, line: 1, reason: "the file is empty") }
        guard !steps.isEmpty else { throw error("a transcript without steps tests nothing") }
        return first
    }

    private func object(in bytes: some Collection<UInt8>) throws(TranscriptError) -> JSONValue {
        let value: JSONValue
        do throws(JSONError) {
            value = try JSONValue(parsing: bytes)
        } catch {
            throw self.error("not JSON: \(error.explanation), at byte \(error.offset + 1)")
        }
        guard let properties = value.object else { throw error("expected a JSON object") }
        try refuseDuplicates(in: properties)
        // What is sent may be wrong on purpose.
        for property in properties where property.name != "send" { try refuseDuplicates(in: property.value) }
        return value
    }

    private func refuseDuplicates(in value: JSONValue) throws(TranscriptError) {
        for element in value.array ?? [] { try refuseDuplicates(in: element) }
        guard let properties = value.object else { return }
        try refuseDuplicates(in: properties)
        for property in properties { try refuseDuplicates(in: property.value) }
    }

    private func refuseDuplicates(in properties: [JSONValue.Property]) throws(TranscriptError) {
        for (index, property) in properties.enumerated()
        where properties[..<index].contains(where: { $0.name == property.name }) {
            throw error("\(property.name) is given twice")
        }
    }

    private func head(_ properties: JSONValue) throws(TranscriptError) -> (title: String, arguments: [String]) {
        guard let title = properties["transcript"]?.string else {
            throw error(
                #"the first line must be {"transcript": TITLE} or {"transcript": TITLE, "arguments": [FLAG, …]}"#
            )
        }
        try allow(["transcript", "arguments"], in: properties)
        guard let given = properties["arguments"] else { return (title, []) }
        let arguments = given.array?.compactMap(\.string) ?? []
        guard arguments.count == given.array?.count else {
            throw error("arguments must be a list of flags")
        }
        return (title, arguments)
    }

    private mutating func read(step properties: JSONValue) throws(TranscriptError) {
        try allow(["send", "expect", "keep", "repeat"], in: properties)
        let (sent, expected) = (properties["send"], properties["expect"])
        guard sent != nil || expected != nil else { throw error("a step needs send or expect") }
        var count = 1
        if let given = properties["repeat"] {
            guard let number = given.int, number > 0 else { throw error("repeat must be a positive integer") }
            count = number
        }
        for value in [sent, expected].compactMap({ $0 }) {
            if let text = value.textWithWrongPlaceholder {
                throw error("{{ must begin a placeholder like {{name}}, in \(JSONValue.string(text).text)")
            }
            for placeholder in value.placeholders where !names.contains(placeholder) {
                throw error("no earlier step keeps {{\(placeholder)}}")
            }
        }
        let kept = try keptValues(properties["keep"], isExpected: expected != nil)
        names.formUnion(kept.map(\.name))
        steps.append(TranscriptStep(line: line, sent: sent, expected: expected, kept: kept, count: count))
    }

    private func keptValues(_ value: JSONValue?, isExpected: Bool) throws(TranscriptError) -> [KeptValue] {
        guard let value else { return [] }
        guard let properties = value.object, !properties.isEmpty else {
            throw error("keep must be an object of names and places")
        }
        guard isExpected else { throw error("keep needs expect") }
        var kept: [KeptValue] = []
        for property in properties {
            do throws(KeptValue.Fault) {
                kept.append(try KeptValue(property))
            } catch {
                throw self.error(error.reason)
            }
        }
        return kept
    }

    private func allow(_ names: [String], in object: JSONValue) throws(TranscriptError) {
        for property in object.object ?? [] where !names.contains(property.name) {
            throw error("unknown property \(property.name)\(NearestName.hint(for: property.name, among: names))")
        }
    }

    private func error(_ reason: String) -> TranscriptError {
        TranscriptError(name: name, line: line, reason: reason)
    }
}
