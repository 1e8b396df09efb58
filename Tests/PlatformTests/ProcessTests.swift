import Foundation
import Platform
import Synchronization
import Testing

struct SignalTests {
    private static let count = Atomic(0)

    /// No other test uses SIGUSR2.
    @Test func isIgnoredHandledAndRestored() {
        let signal = Signal(number: SIGUSR2)
        Signal.unblock([signal])
        signal.ignore()
        #expect(signal.isIgnored)
        signal.raise()
        signal.handle { _ in SignalTests.count.wrappingAdd(1, ordering: .relaxed) }
        #expect(!signal.isIgnored)
        signal.raise()
        #expect(Self.count.load(ordering: .relaxed) == 1)
        signal.restoreDefault()
        #expect(!signal.isIgnored)
    }
}

struct ShellCommandTests {
    private func run(_ command: String) throws -> (end: ProcessEnd, errors: String) {
        let (input, errors) = (try Platform.Pipe(), try Platform.Pipe())
        let process = try ChildProcesses.start { () throws(SystemError) in
            try ShellCommand(SystemString(command)).start(reading: input.reader, writingErrors: errors.writer)
        }
        for end in [input.reader, errors.writer] { end.close() }
        let bytes = Array("input".utf8)
        #expect(bytes.withUnsafeBytes { WholeWrite.run($0, to: input.writer) } == nil)
        input.writer.close()
        let text = String(decoding: try errors.reader.contents(bytesMax: 1_000), as: UTF8.self)
        errors.reader.close()
        while true {
            if let end = ChildProcesses.reap(process) { return (end, text) }
            Platform.Thread.sleep(microseconds: 1_000)
        }
    }

    @Test func readsItsInputAndReportsItsEnd() throws {
        #expect(try run("cat >&2; exit 3") == (.exit(code: 3), "input"))
        #expect(try run("cat >/dev/null; kill -9 $$") == (.signal(.kill), ""))
    }

    /// Its output must not be mixed with the replies.
    @Test func discardsItsOutput() throws {
        #expect(try run("cat; [ /proc/self/fd/1 -ef /dev/null ] && echo yes >&2").errors == "yes\n")
    }
}

struct ProcessEnvironmentTests {
    /// Uses the variables that exist already: setting a variable while other tests read the environment is not safe.
    @Test func returnsValuesAndNames() throws {
        let environment = ProcessInfo.processInfo.environment
        let name = try #require(environment.keys.first { environment[$0]?.isEmpty == false })
        #expect(ProcessEnvironment.value(of: name)?.text == environment[name])
        #expect(ProcessEnvironment.value(of: "POSTERN_PLATFORM_TEST") == nil)
        #expect(ProcessEnvironment.names(withPrefix: name).contains(name))
        #expect(ProcessEnvironment.names(withPrefix: "POSTERN_PLATFORM_TEST").isEmpty)
    }
}

struct MailDateTests {
    @Test(arguments: [
        (0, "Thu, 01 Jan 1970 00:00:00 +0000"), (1_456_351_672, "Wed, 24 Feb 2016 22:07:52 +0000"),
        (951_782_399, "Mon, 28 Feb 2000 23:59:59 +0000"), (7_258_118_400, "Wed, 01 Jan 2200 00:00:00 +0000"),
    ])
    func formatsADateAsRFC5322(seconds: Int, text: String) {
        #expect(MailDate.text(ofSeconds: seconds) == text)
    }
}
