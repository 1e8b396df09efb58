import Foundation
import PosternTesting
import Testing

/// The mutations by which the tests of faults and peers show that they can fail: each must still change something.
struct MutantTests {
    /// A mutation once replaced a line of a source that had changed, so that the whole class of faults failed.
    @Test(arguments: [
        ["Tests/Faults/mutants.py"], ["Tests/Peers/check_mutants.py", PosternProcess.binary.path],
    ])
    func applyToWhatTheyChange(command: [String]) throws {
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
