package import JSON

/// One run of a transcript: the values that its steps have kept so far. The caller sends and receives the messages.
package struct TranscriptRun: Sendable {
    private var kept: [String: JSONValue] = [:]

    package init() {}

    /// A step that did not go as the transcript says.
    package struct Failure: Error, Equatable, Sendable {
        /// What is wrong, in one line.
        package let reason: String
        /// The first difference from the expected message, if one came.
        package let difference: Difference?

        package init(_ reason: String, difference: Difference? = nil) {
            (self.reason, self.difference) = (reason, difference)
        }
    }

    /// What a step sends, with the kept values; nil if it sends nothing.
    package func message(of step: TranscriptStep) throws(Failure) -> JSONValue? {
        guard let sent = step.sent else { return nil }
        return try filled(sent)
    }

    /// Compares a message with what a step expects, and keeps values of it.
    package mutating func check(_ message: JSONValue, of step: TranscriptStep) throws(Failure) {
        guard let expected = step.expected else { return }
        let filledExpected = try filled(expected)
        if let name = expected.placeholderOfKind(with: kept) {
            throw Failure("{{\(name)}} has a text that matches any value, so nothing can be compared with it")
        }
        let difference = Difference(between: message, and: filledExpected)
        // Also values of a wrong message, so that one failure does not make all later steps fail.
        let found = step.kept.map { ($0, $0.find(in: message)) }
        for (place, value) in found { kept[place.name] = value }
        if let difference {
            throw Failure(
                "\(difference.path.isEmpty ? "the message" : difference.path) differs",
                difference: difference
            )
        }
        if let (place, _) = found.first(where: { $0.1 == nil }) {
            throw Failure("nothing to keep as \(place.name) at \(place.place)")
        }
    }

    private func filled(_ value: JSONValue) throws(Failure) -> JSONValue {
        if let name = value.placeholders.first(where: { kept[$0] == nil }) {
            throw Failure("{{\(name)}} has no value, because an earlier step failed")
        }
        return value.filled(with: kept)
    }
}
