package import Foundation
package import JSON

/// A running `postern`, connected through pipes.
package final class PosternProcess {
    private let process = Process()
    private let input = Pipe()
    private let output = Pipe()
    private let errors = TemporaryDirectory()
    private let writer = DispatchQueue(label: "PosternProcess.writer")
    private var pending = Data()
    private var lastID = 0
    /// The time that a test waits for output of the program, in seconds.
    private static let silenceSecondsMax: Int32 = 200

    /// The tested binary: that of the variable POSTERN_TEST_BINARY, or the one beside the test bundle.
    package static let binary: URL =
        ProcessInfo.processInfo.environment["POSTERN_TEST_BINARY"].map { URL(fileURLWithPath: $0) }
        ?? URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent().appendingPathComponent("postern")

    /// The root directory of the repository.
    package static let repository = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent()

    /// - Parameters:
    ///   - arguments: The command line.
    ///   - environment: Variables in addition to PATH. No variables are inherited.
    ///   - shell: A shell command that starts the program as `"$@"`, such as `ulimit -f 8; exec "$@"`.
    ///   - folder: The working directory.
    ///   - binary: The program, if it is not the tested binary.
    package init(
        _ arguments: [String],
        environment: [String: String] = [:],
        shell: String? = nil,
        folder: URL? = nil,
        binary: URL = PosternProcess.binary
    ) throws {
        // Writing to a process that has ended must not end the tests.
        Foundation.signal(SIGPIPE, SIG_IGN)
        let command = [binary.path] + arguments
        process.executableURL = shell == nil ? binary : URL(fileURLWithPath: "/bin/sh")
        process.arguments = shell.map { ["-c", $0, "sh"] + command } ?? arguments
        process.environment = ["PATH": "/usr/bin:/bin"].merging(environment) { $1 }
        process.currentDirectoryURL = folder
        process.standardInput = input
        process.standardOutput = output
        let log = errors.path + "/stderr"
        // Without its file, the log would seem to be empty.
        guard FileManager.default.createFile(atPath: log, contents: nil) else {
            throw CocoaError(.fileWriteUnknown)
        }
        process.standardError = FileHandle(forWritingAtPath: log)
        try process.run()
    }

    package var isRunning: Bool { process.isRunning }

    package var processIdentifier: Int32 { process.processIdentifier }

    /// The output on stderr so far.
    package var errorText: String {
        String(decoding: FileManager.default.contents(atPath: errors.path + "/stderr") ?? Data(), as: UTF8.self)
    }

    /// The exit code, or the signal that ended the process. Waits for its end.
    package var status: Int32 {
        process.waitUntilExit()
        return process.terminationStatus
    }

    // MARK: Requests

    /// Sends a line: the text and a line feed.
    package func send(_ line: String) {
        write(Data((line + "\n").utf8))
    }

    /// Sends bytes unchanged.
    package func write(_ data: Data) {
        try? input.fileHandleForWriting.write(contentsOf: data)
    }

    /// Sends bytes on another thread, after those before. For more
    /// bytes than the program reads while its output is not read.
    package func writeBeside(_ data: Data) {
        let handle = input.fileHandleForWriting
        writer.async { try? handle.write(contentsOf: data) }
    }

    /// Sends bytes and ends the input on another thread. For more
    /// bytes than the program reads while its output is not read.
    package func finishBeside(_ data: Data) {
        let handle = input.fileHandleForWriting
        Thread {
            try? handle.write(contentsOf: data)
            try? handle.close()
        }.start()
    }

    /// Sends a request with the next id.
    package func send(_ method: String, _ params: JSONValue) {
        lastID += 1
        let id = JSONValue.number(String(lastID))
        send((["jsonrpc": "2.0", "id": id, "method": .string(method), "params": params] as JSONValue).text)
    }

    /// Sends a request and returns the next reply.
    @discardableResult
    package func reply(to method: String, _ params: JSONValue = [:]) throws -> JSONValue {
        send(method, params)
        return try nextReply()
    }

    /// The next reply; `null` if the output has ended.
    package func nextReply() throws -> JSONValue {
        try JSONValue(parsing: nextLine() ?? "null")
    }

    /// The next line; nil at the end of the output.
    package func nextLine() -> String? {
        var searched = 0
        while true {
            if let end = pending[searched...].firstIndex(of: 0x0A) {
                defer { pending = Data(pending[(end + 1)...]) }
                return String(decoding: pending[..<end], as: UTF8.self)
            }
            let data = nextOutput()
            if data.isEmpty { return nil }
            searched = pending.count
            pending.append(data)
        }
    }

    /// The next reply of a stream with headers; `null` if the output has ended.
    package func nextFramedReply() throws -> JSONValue {
        try JSONValue(parsing: nextFrame() ?? "null")
    }

    /// The next message of a stream with headers; nil at the end of the output.
    package func nextFrame() -> String? {
        guard let header = nextLine(), nextLine() != nil else { return nil }
        let count = Int(header.drop { !$0.isNumber }.prefix { $0.isNumber }) ?? 0
        while pending.count < count, case let data = nextOutput(), !data.isEmpty {
            pending.append(data)
        }
        defer { pending = Data(pending.dropFirst(count)) }
        return String(decoding: pending.prefix(count), as: UTF8.self)
    }

    /// The number of lines until the end of the output.
    package func remainingLines() -> Int {
        var count = pending.count { $0 == 0x0A }
        while case let data = nextOutput(), !data.isEmpty {
            count += data.count { $0 == 0x0A }
        }
        return count
    }

    /// The next output; empty at its end. Kills a process that writes nothing for too long, so that the test fails.
    private func nextOutput() -> Data {
        var waited = pollfd(fd: output.fileHandleForReading.fileDescriptor, events: Int16(POLLIN), revents: 0)
        if poll(&waited, 1, Self.silenceSecondsMax * 1_000) == 0 {
            print("postern \(process.arguments ?? []) wrote nothing for \(Self.silenceSecondsMax) s and is killed")
            kill()
        }
        return output.fileHandleForReading.availableData
    }

    // MARK: The end

    /// Ends the input.
    package func closeInput() {
        try? input.fileHandleForWriting.close()
    }

    /// Stops reading its output.
    package func closeOutput() {
        try? output.fileHandleForReading.close()
    }

    /// Ends the input and returns the rest of the output.
    @discardableResult
    package func finish() -> String {
        closeInput()
        var lines: [String] = []
        while let line = nextLine() { lines.append(line) }
        process.waitUntilExit()
        return lines.joined(separator: "\n")
    }

    /// Sends a signal.
    package func signal(_ number: Int32) {
        Foundation.kill(process.processIdentifier, number)
    }

    /// Kills the process at once.
    package func kill() {
        signal(SIGKILL)
        process.waitUntilExit()
    }

    deinit {
        if process.isRunning { kill() }
    }
}

extension PosternProcess {
    /// The result of a command.
    package struct Outcome {
        package let output: String
        package let errors: String
        package let status: Int32
    }

    /// Runs a command to its end. No command means a server without requests, which creates its store.
    @discardableResult
    package static func run(
        _ arguments: [String],
        input: String = "",
        environment: [String: String] = [:],
        shell: String? = nil,
        folder: URL? = nil,
        binary: URL = PosternProcess.binary
    ) throws -> Outcome {
        let process = try PosternProcess(
            arguments,
            environment: environment,
            shell: shell,
            folder: folder,
            binary: binary
        )
        process.write(Data(input.utf8))
        let output = process.finish()
        return Outcome(output: output, errors: process.errorText, status: process.status)
    }
}
