import Foundation
import PosternClient
import Testing

/// Hosts in processes of their own.
struct HostTests {
    @Test func isNotLeftBehindByAHostThatIsKilled() async throws {
        let (host, output) = try startTrials("stay", binary: Binaries.postern)
        let line = String(decoding: output.fileHandleForReading.availableData, as: UTF8.self)
        let processes = line.split { $0.isWhitespace }.compactMap { Int32($0) }
        try #require(processes.count == 2 && processes.allSatisfy(isAlive))
        kill(host.processIdentifier, SIGKILL)
        host.waitUntilExit()
        #expect(try await becomesTrue(within: 5) { !isRunning(processes[0]) })
        #expect(isRunning(processes[1]))
        kill(processes[1], SIGKILL)
    }

    @Test func leavesTheHostAliveWhereNobodyReads() throws {
        let (host, output) = try startTrials("outlive", binary: Binaries.fake("unwilling"))
        let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        host.waitUntilExit()
        #expect(host.terminationReason == .exit && host.terminationStatus == 0)
        #expect(text.hasPrefix("Postern has ended with exit code 4;") && text.hasSuffix("closed\n"))
    }

    private func startTrials(_ command: String, binary: String) throws -> (Process, Pipe) {
        let (host, output) = (Process(), Pipe())
        host.executableURL = URL(fileURLWithPath: Binaries.trials)
        host.arguments = [command]
        host.environment = ["POSTERN_BIN": binary, "PATH": "/usr/bin:/bin"]
        host.standardOutput = output
        try host.run()
        return (host, output)
    }

    @Test func bearsAHostThatIgnoresHowItsChildrenEnd() throws {
        let (host, output) = try startTrials("unaware", binary: Binaries.postern)
        let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        host.waitUntilExit()
        #expect(host.terminationReason == .exit && host.terminationStatus == 0)
        #expect(text.hasPrefix("Postern has ended; whether the calls in flight took effect is not known."))
    }

    @Test func losesNoDescriptorWhereThereAreTooFew() throws {
        let (host, output) = try startTrials("scrimp", binary: Binaries.postern)
        let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        host.waitUntilExit()
        #expect(host.terminationReason == .exit && host.terminationStatus == 0)
        #expect(text == "refused and opened, and no process is left\n")
    }

    /// What is not UTF-8 in the environment is handed down as it is.
    @Test func handsDownTheEnvironment() async throws {
        let (host, output) = (Process(), Pipe())
        host.executableURL = URL(fileURLWithPath: "/bin/sh")
        host.arguments = ["-c", #"LATIN=$(printf '\351'); export LATIN; exec "$0" stay"#, Binaries.trials]
        host.environment = ["POSTERN_BIN": Binaries.postern, "PATH": "/usr/bin:/bin"]
        host.standardOutput = output
        try host.run()
        let line = String(decoding: output.fileHandleForReading.availableData, as: UTF8.self)
        let processes = line.split { $0.isWhitespace }.compactMap { Int32($0) }
        try #require(processes.count == 2)
        let environment = try Data(contentsOf: URL(fileURLWithPath: "/proc/\(processes[0])/environ"))
        #expect(environment.range(of: Data("LATIN=".utf8 + [0xE9, 0])) != nil)
        for process in [host.processIdentifier, processes[1]] { kill(process, SIGKILL) }
        host.waitUntilExit()
    }

    /// Whether a process of that number goes on; one whose parent is gone may wait for ever to be reaped.
    private func isRunning(_ process: Int32) -> Bool {
        guard let text = try? String(contentsOfFile: "/proc/\(process)/stat", encoding: .utf8) else { return false }
        return text.split(separator: ")").last?.split(separator: " ").first.map { !["Z", "X"].contains($0) } ?? false
    }
}
