import Foundation
import PosternTesting
import Testing

/// The mutations that prove that the fault and peer tests can fail. Each must still change something.
struct MutantTests {
    /// A mutation once referred to a source line that had changed, so all fault tests failed.
    @Test(arguments: [
        ["Tests/Faults/mutants.py"], ["Tests/Peers/check_mutants.py", PosternProcess.binary.path],
    ])
    func applyToTheirTargets(command: [String]) throws {
        let check = Process()
        let output = Pipe()
        check.executableURL = URL(fileURLWithPath: "/usr/bin/python3")
        check.arguments = command
        check.currentDirectoryURL = PosternProcess.repository
        check.standardOutput = output
        check.standardError = output
        try check.run()
        let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        check.waitUntilExit()
        #expect(check.terminationStatus == 0, "\(text)")
    }
}
