import CLibrary
import Platform
import Testing

struct ProgramTests {
    /// Starts a command of the shell with a pipe as its stdin, and another as its stdout and stderr.
    private func start(
        _ command: String,
        variables: [String: SystemString] = [:],
        removing removed: [String] = [],
        restoring signals: [Signal]? = nil
    ) throws -> (process: Int32, input: FileDescriptor, output: FileDescriptor) {
        let (input, output) = (try Pipe(), try Pipe())
        defer { for end in [input.reader, output.writer] { end.close() } }
        let process = try ChildProcesses.start { () throws(SystemError) in
            try Program(
                path: "/bin/sh",
                arguments: ["-c", SystemString(command)],
                variables: variables,
                removing: removed
            )
            .start(input: input.reader, output: output.writer, errors: output.writer, restoring: signals)
        }
        return (process, input.writer, output.reader)
    }

    /// The output of a command, and how it ended.
    private func run(
        _ command: String,
        variables: [String: SystemString] = [:],
        removing removed: [String] = [],
        restoring signals: [Signal]? = nil
    ) throws -> (output: [UInt8], end: ProcessEnd) {
        let (process, input, output) = try start(command, variables: variables, removing: removed, restoring: signals)
        input.close()
        defer { output.close() }
        return (try output.contents(bytesMax: 10_000), ChildProcesses.waitForEnd(of: process))
    }

    @Test func writesToBothOutputsAndReportsItsEnd() throws {
        #expect(try run("echo a; echo b >&2; exit 7") == (Array("a\nb\n".utf8), .exit(code: 7)))
        #expect(try run("kill -TERM $$") == ([], .signal(.terminate)))
    }

    @Test func addsAndReplacesVariables() throws {
        let variables: [String: SystemString] = ["PATH": "/nowhere", "LATIN": SystemString(bytes: [0xE9])]
        let output = try run("echo $PATH-$LATIN", variables: variables).output
        #expect(output == Array("/nowhere-".utf8) + [0xE9, 0x0A])
        let home = try #require(ProcessEnvironment.value(of: "HOME"))
        #expect(try run("echo $HOME", variables: variables).output == home.bytes + [0x0A])
    }

    @Test func removesVariables() throws {
        let output = try run("echo ${HOME-none} ${PATH:+some}", variables: ["A": "a"], removing: ["HOME", "OTHER"])
            .output
        #expect(String(decoding: output, as: UTF8.self) == "none some\n")
    }

    @Test func failsIfThereIsNoSuchProgram() throws {
        let pipe = try Pipe()
        defer { for end in [pipe.reader, pipe.writer] { end.close() } }
        #expect(
            systemError { () throws(SystemError) in
                _ = try Program(path: "/nowhere", arguments: []).start(
                    input: pipe.reader,
                    output: nil,
                    errors: pipe.writer
                )
            } == .noSuchFile
        )
    }

    /// No other test uses SIGURG.
    @Test func restoresTheGivenSignalsAndNoOthers() throws {
        let signal = Signal(number: SIGURG)
        signal.ignore()
        defer { signal.restoreDefault() }
        for (signals, isIgnored) in [(nil, false), ([], true), ([signal], false)] as [([Signal]?, Bool)] {
            // proc(5): `SigIgn:`, a tab, and the ignored signals as a hexadecimal mask, whose lowest bit is signal 1.
            let output = try run("grep SigIgn /proc/$$/status", restoring: signals).output
            let digits = String(decoding: output, as: UTF8.self).split { $0.isWhitespace }.last ?? ""
            let mask = try #require(UInt64(digits, radix: 16))
            #expect((mask & 1 << UInt64(SIGURG - 1) != 0) == isIgnored)
        }
    }

    @Test func isExecutableIfItIsAFileWithPermission() throws {
        let folder = try TemporaryFolder()
        let path = try folder.file("program", [])
        #expect(chmod(path.cString, 0o600) == 0)
        #expect(!Program.isExecutable(at: path))
        #expect(chmod(path.cString, 0o700) == 0)
        #expect(Program.isExecutable(at: path))
        #expect(!Program.isExecutable(at: SystemString(folder.path)))
        #expect(!Program.isExecutable(at: folder.path("missing")))
    }

    // MARK: ChildProcesses

    @Test func isSignalledUntilItIsReaped() throws {
        let (process, input, output) = try start("cat")
        defer { for end in [input, output] { end.close() } }
        ChildProcesses.send(.kill, to: process)
        #expect(ChildProcesses.waitForEnd(of: process) == .signal(.kill))
        #expect(ChildProcesses.waitForEnd(of: process) == .unknown)
        #expect(ChildProcesses.reap(process) == .unknown)
        // This process's own id was not returned by `start`, so the signal is not sent.
        ChildProcesses.send(.kill, to: CurrentProcess.number)
    }
}
