import Foundation
import PosternClient
import Testing

/// Hosts that run as processes.
struct HostTests {
    @Test func theProcessEndsWhenTheHostIsKilled() async throws {
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

    @Test func sigpipeDoesNotEndTheHost() throws {
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

    @Test func theEndIsReportedToAHostThatIgnoresSIGCHLD() throws {
        let (host, output) = try startTrials("unaware", binary: Binaries.postern)
        let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        host.waitUntilExit()
        #expect(host.terminationReason == .exit && host.terminationStatus == 0)
        #expect(text.hasPrefix("Postern has ended; if the call was in flight, the outcome is unknown."))
    }

    @Test func aFailedOpeningLeavesNoDescriptorAndNoProcess() throws {
        let (host, output) = try startTrials("scrimp", binary: Binaries.postern)
        let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        host.waitUntilExit()
        #expect(host.terminationReason == .exit && host.terminationStatus == 0)
        #expect(text == "refused and opened, and no process is left\n")
    }

    /// A variable that is not UTF-8 is inherited unchanged.
    @Test func theProcessInheritsTheEnvironment() async throws {
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

    /// Whether a process runs. A zombie does not: without its parent, it may never be reaped.
    private func isRunning(_ process: Int32) -> Bool {
        guard let text = try? String(contentsOfFile: "/proc/\(process)/stat", encoding: .utf8) else { return false }
        return text.split(separator: ")").last?.split(separator: " ").first.map { !["Z", "X"].contains($0) } ?? false
    }
}
