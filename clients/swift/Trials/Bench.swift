import Foundation
import JSON
import PosternClient

/// Measures the cost of a call through the client and through a bare loop, in alternating batches, on two processes
/// with the same state.
struct Bench {
    private static let batches = 50
    private static let callsPerBatch = 100
    private static let concurrentCalls = 10_000
    private static let tasks = 50

    /// The figures as a JSON object.
    let report: JSONValue

    init() async throws {
        let arguments = ["--no-email-confirmation"]
        let postern = try Postern(data: ":memory:", arguments: arguments)
        let bare = try BareLoop(arguments: ["--data", ":memory:"] + arguments)
        let person = OperatorsPersonInput(firstName: "Luke", lastName: "Sorenson", email: "lasoren@bu.edu")
        let session = try await postern.operators.register(user: person, password: "a long password")
        let bareSession = try bare.register(person)
        let request = bare.clientsRequest(userID: bareSession.userID, sessionID: bareSession.sessionID)

        var (raw, client): ([Double], [Double]) = ([], [])
        let clock = ContinuousClock()
        for _ in 0..<Self.batches {
            for _ in 0..<Self.callsPerBatch {
                raw.append(clock.measure { bare.exchange(request) }.microseconds)
            }
            for _ in 0..<Self.callsPerBatch {
                let start = clock.now
                _ = try await postern.operators.clients.get(
                    userID: session.id,
                    sessionID: session.sessionID,
                    provision: 1
                )
                client.append((clock.now - start).microseconds)
            }
        }
        let start = clock.now
        try await withThrowingTaskGroup { group in
            for _ in 0..<Self.tasks {
                group.addTask {
                    for _ in 0..<(Self.concurrentCalls / Self.tasks) {
                        _ = try await postern.operators.clients.get(
                            userID: session.id,
                            sessionID: session.sessionID,
                            provision: 1
                        )
                    }
                }
            }
            try await group.waitForAll()
        }
        let rate = Double(Self.concurrentCalls) / ((clock.now - start).microseconds / 1e6)
        await postern.close()
        let (rawMedian, clientMedian) = (raw.median, client.median)
        report = [
            "client": "swift",
            "raw_us": .tenths(rawMedian),
            "client_us": .tenths(clientMedian),
            "overhead_us": .tenths(clientMedian - rawMedian),
            "concurrent_calls_per_second": .number(String(Int(rate))),
        ]
    }
}

extension Bench {
    private static let openings = 50

    /// Measures opening, with and without the wait for a first reply.
    static func opening() async throws -> JSONValue {
        var (ready, unready): ([Double], [Double]) = ([], [])
        for _ in 0..<openings {
            for waits in [true, false] {
                let start = ContinuousClock.now
                let postern = try Postern(data: ":memory:", waitsUntilReady: waits)
                let time = (ContinuousClock.now - start).microseconds / 1e3
                if waits { ready.append(time) } else { unready.append(time) }
                await postern.close()
            }
        }
        let hundredths = { (number: Double) in JSONValue.number(String(format: "%.2f", number)) }
        return ["client": "swift", "open_ms": hundredths(ready.median), "unready_ms": hundredths(unready.median)]
    }
}

/// A Postern process without a client: requests are prepared bytes, and replies are not parsed.
private final class BareLoop {
    private let process = Process()
    private let input = Pipe()
    private let output = Pipe()
    private var buffer = [UInt8](repeating: 0, count: 65_536)

    init(arguments: [String]) throws {
        process.executableURL = URL(fileURLWithPath: ProcessInfo.processInfo.environment["POSTERN_BIN"] ?? "postern")
        process.arguments = arguments
        process.standardInput = input
        process.standardOutput = output
        try process.run()
    }

    /// Writes a request and returns the reply.
    @discardableResult
    func exchange(_ request: [UInt8]) -> ArraySlice<UInt8> {
        var count = request.withUnsafeBytes {
            write(input.fileHandleForWriting.fileDescriptor, $0.baseAddress, $0.count)
        }
        precondition(count == request.count)
        count = 0
        repeat {
            let room = buffer.count - count
            let got = buffer.withUnsafeMutableBytes { bytes in
                read(output.fileHandleForReading.fileDescriptor, bytes.baseAddress.map { $0 + count }, room)
            }
            precondition(got > 0)
            count += got
        } while buffer[count - 1] != 0x0A
        return buffer[..<count]
    }

    func register(_ person: OperatorsPersonInput) throws -> (userID: JSONValue, sessionID: JSONValue) {
        let user: JSONValue = [
            "first_name": .string(person.firstName), "last_name": .string(person.lastName),
            "email": .string(person.email),
        ]
        let reply = exchange(request("operators.register", ["user": user, "password": "a long password"]))
        let result = try JSONValue(parsing: reply)["result"]
        return (result?["id"] ?? .null, result?["session_id"] ?? .null)
    }

    func clientsRequest(userID: JSONValue, sessionID: JSONValue) -> [UInt8] {
        request("operators.clients.get", ["user_id": userID, "session_id": sessionID, "provision": 1])
    }

    private func request(_ method: String, _ params: JSONValue) -> [UInt8] {
        let request: JSONValue = ["jsonrpc": "2.0", "id": 1, "method": .string(method), "params": params]
        return Array((request.text + "\n").utf8)
    }
}

extension Duration {
    fileprivate var microseconds: Double {
        Double(components.seconds) * 1e6 + Double(components.attoseconds) / 1e12
    }
}

extension [Double] {
    fileprivate var median: Double { sorted()[count / 2] }
}

extension JSONValue {
    fileprivate static func tenths(_ number: Double) -> JSONValue {
        .number(String(format: "%.1f", number))
    }
}
