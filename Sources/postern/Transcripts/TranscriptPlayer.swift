import JSON
import Platform
import Transcripts

/// Plays a transcript against a server process and writes the results.
struct TranscriptPlayer {
    private let transcript: Transcript
    /// How long a step waits for its message.
    private let milliseconds: Int
    private let server: ServerProcess

    /// - Parameter flags: the flags of the server.
    init(_ transcript: Transcript, flags: [SystemString], replyTimeoutSeconds: Int) throws(CommandError) {
        self.transcript = transcript
        milliseconds = replyTimeoutSeconds * 1_000
        server = try ServerProcess(flags)
    }

    /// Why a step failed.
    private enum Fault {
        /// The message is not as expected.
        case wrong(TranscriptRun.Failure)
        /// No message came. The next one could be late, so no further step is played.
        case silent
        /// The server has ended.
        case ended
    }

    /// Plays all steps. After the last one, the server must end with exit code 0, and without a further message.
    ///
    /// - Returns: how the server ended, if it did before the transcript's end; nil otherwise.
    func play(into results: inout TAPWriter) -> String? {
        var run = TranscriptRun()
        // One more: the end of the server.
        results.beginFile(transcript.name, steps: transcript.steps.count + 1)
        for (index, step) in transcript.steps.enumerated() {
            var exchange = Exchange()
            let fault = play(step, &run, &exchange)
            results.step(step.name, fault.map { diagnostics(of: $0, step, exchange) })
            switch fault {
            case nil, .wrong: continue
            case .silent:
                _ = server.finish(killing: true)
                skip(transcript.steps[(index + 1)...], &results)
                results.endFile(transcript.name)
                return nil
            case .ended:
                return "\(transcript.name):\(step.line): the server ended with \(server.finish(killing: false).text)"
            }
        }
        results.step("end", endFault())
        results.endFile(transcript.name)
        return nil
    }

    /// What the last repetition of a step sent and got.
    private struct Exchange {
        var sent: JSONValue?
        var received: JSONValue?
        var count = 0
    }

    private func play(_ step: TranscriptStep, _ run: inout TranscriptRun, _ exchange: inout Exchange) -> Fault? {
        for count in 1...step.count {
            exchange = Exchange(count: count)
            do throws(TranscriptRun.Failure) {
                exchange.sent = try run.message(of: step)
                if let sent = exchange.sent, !server.send(sent, milliseconds: milliseconds) { return endOrSilence() }
                guard step.expected != nil else { continue }
                switch server.next(milliseconds: milliseconds) {
                case .line(let line):
                    exchange.received = try Self.message(in: line)
                    try run.check(exchange.received ?? .null, of: step)
                case .end: return .ended
                case .nothing: return .silent
                }
            } catch {
                return .wrong(error)
            }
        }
        return nil
    }

    /// Why the server took no request.
    private func endOrSilence() -> Fault {
        while true {
            switch server.next(milliseconds: milliseconds) {
            case .line: continue
            case .end: return .ended
            case .nothing: return .silent
            }
        }
    }

    private static func message(in line: [UInt8]) throws(TranscriptRun.Failure) -> JSONValue {
        do throws(JSONError) {
            return try JSONValue(parsing: line)
        } catch {
            throw TranscriptRun.Failure(
                "the server wrote a line that is not JSON: \(String(decoding: line, as: UTF8.self))"
            )
        }
    }

    private func skip(_ steps: ArraySlice<TranscriptStep>, _ results: inout TAPWriter) {
        let reason: [JSONValue.Property] = [.init("message", "not played, because an earlier step got no message")]
        for step in steps { results.step(step.name, reason + place(of: step.line)) }
        results.step("end", reason)
    }

    /// The diagnostics of a server that does not end as it should; nil if it does.
    private func endFault() -> [JSONValue.Property]? {
        server.closeInput()
        var others: [JSONValue] = []
        while true {
            switch server.next(milliseconds: milliseconds) {
            case .line(let line): others.append(.string(String(decoding: line, as: UTF8.self)))
            case .nothing:
                _ = server.finish(killing: true)
                return [.init("message", "the server did not end after its input"), .init("got", .array(others))]
            case .end:
                let end = server.finish(killing: false)
                guard end == .exit(code: 0) else {
                    return [.init("message", .string("the server ended with \(end.text)"))]
                }
                guard !others.isEmpty else { return nil }
                return [.init("message", "messages that no step expects"), .init("got", .array(others))]
            }
        }
    }

    private func place(of line: Int) -> [JSONValue.Property] {
        [.init("file", .string(transcript.name)), .init("line", .number(String(line)))]
    }

    private func diagnostics(
        of fault: Fault,
        _ step: TranscriptStep,
        _ exchange: Exchange
    ) -> [JSONValue.Property] {
        var reason: String
        var difference: Difference?
        switch fault {
        case .wrong(let failure): (reason, difference) = (failure.reason, failure.difference)
        case .silent: reason = "no message within \(milliseconds / 1_000) s"
        case .ended: reason = "the server has ended"
        }
        if step.count > 1 { reason += ", at repetition \(exchange.count) of \(step.count)" }
        var properties: [JSONValue.Property] = [.init("message", .string(reason))] + place(of: step.line)
        if let sent = exchange.sent { properties.append(.init("sent", sent)) }
        if let expected = step.expected { properties.append(.init("expected", expected)) }
        if let received = exchange.received { properties.append(.init("got", received)) }
        if let difference {
            let absent: JSONValue = "(absent)"
            properties += [
                .init(
                    "difference",
                    [
                        "path": .string(difference.path), "expected": difference.expected ?? absent,
                        "got": difference.got ?? absent,
                    ]
                )
            ]
        }
        return properties
    }
}

extension TranscriptStep {
    /// The step in one line.
    fileprivate var name: String {
        let what = method ?? (sent == nil ? "a message of the server" : "a message")
        return "line \(line): \(what)\(count > 1 ? ", \(count) times" : "")"
    }
}

extension ProcessEnd {
    /// The end as a text: `exit code 1`, `signal 9`.
    fileprivate var text: String {
        switch self {
        case .exit(let code): "exit code \(code)"
        case .signal(let signal): "signal \(signal.number)"
        case .unknown: "an unknown status"
        }
    }
}
