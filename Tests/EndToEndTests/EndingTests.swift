import Foundation
import JSON
import PosternTesting
import Testing

/// How the process ends on request, and what it leaves behind.
struct EndingTests {
    private static let registration: JSONValue = [
        "user": ["first_name": "A", "last_name": "B", "email": "a@b.co"], "password": "p",
    ]

    private func state(of process: Int32) -> String {
        let text = (try? String(contentsOfFile: "/proc/\(process)/status", encoding: .utf8)) ?? ""
        return text.split(separator: "\n").first { $0.hasPrefix("State:") }.map(String.init) ?? "gone"
    }

    /// Waits until a condition holds, for a limited time.
    private func eventually(within seconds: Double = 20, _ holds: () throws -> Bool) rethrows -> Bool {
        let start = ContinuousClock.now
        while try !holds() {
            guard ContinuousClock.now - start < .seconds(seconds) else { return false }
            usleep(20_000)
        }
        return true
    }

    /// SIGHUP once killed the process, which left most of its input unanswered.
    @Test(arguments: [SIGHUP, SIGINT, SIGTERM])
    func answersAllInputOnASignal(signal: Int32) throws {
        let postern = try PosternProcess(["--data", ":memory:"])
        for number in 1...6 {
            postern.send("care.user.register", ["email": .string("c\(number)@b.co"), "password": "p", "role": "user"])
        }
        postern.send("system.info", [:])
        usleep(300_000)
        postern.signal(signal)
        var replies = 0
        while postern.nextLine() != nil { replies += 1 }
        #expect(replies == 7 && postern.status == 0)
    }

    /// The README's statements about a stdin that ends early and a stdout that is closed.
    @Test func endsAtTheEndOfItsStreams() throws {
        let request = #"{"jsonrpc":"2.0","id":1,"method":"system.info"}"#
        let unterminated = try PosternProcess.run(["--data", ":memory:"], input: request)
        #expect(unterminated.status == 0 && unterminated.output.contains(#""id":1,"result""#))
        let closed = try PosternProcess.run(["--data", ":memory:"], shell: #"exec "$@" <&-"#)
        #expect(closed.status == 0 && closed.output == "" && closed.errors == "")
        let unread = try PosternProcess.run(
            ["--data", ":memory:"],
            input: String(repeating: request + "\n", count: 2_000),
            shell: #"{ "$@"; echo "exit code $?" >&2; } | head -c 1 >/dev/null"#
        )
        #expect(unread.errors == "exit code 0\n")
        let full = try PosternProcess.run(["--data", ":memory:"], input: request, shell: #"exec "$@" >/dev/full"#)
        #expect(full.status == 1 && full.errors == "postern: requests and replies: write: No space left on device\n")
        let unreadable = try PosternProcess.run(["--data", ":memory:"], shell: #"exec "$@" </"#)
        #expect(unreadable.status == 1 && unreadable.errors == "postern: requests and replies: read: Is a directory\n")
    }

    /// The program once handled a signal that its host had set to be ignored.
    @Test(arguments: [("HUP", SIGHUP), ("INT", SIGINT), ("TERM", SIGTERM)])
    func keepsIgnoringAnIgnoredSignal(name: String, signal: Int32) throws {
        let postern = try PosternProcess(["--data", ":memory:"], shell: "trap '' \(name); exec \"$@\"")
        #expect(try postern.reply(to: "system.info")["result"] != nil)
        postern.signal(signal)
        usleep(100_000)
        #expect(try postern.reply(to: "system.info")["result"] != nil)
        postern.finish()
    }

    /// While stdout was not read, SIGTERM once had no effect, not even after SIGINT.
    @Test func endsWhenStdoutIsNotRead() throws {
        let postern = try PosternProcess(["--data", ":memory:"])
        #expect(try postern.reply(to: "system.info")["result"] != nil)
        for _ in 0..<30 { postern.send("rpc.discover", [:]) }
        usleep(500_000)
        let start = ContinuousClock.now
        postern.signal(SIGTERM)
        #expect(postern.status == 1)
        #expect(ContinuousClock.now - start > .seconds(8) && ContinuousClock.now - start < .seconds(30))
        #expect(postern.errorText.contains("stdout was not read for 10 seconds"))
        #expect(postern.errorText.contains("bytes of replies are lost"))
    }

    @Test func endsAtOnceOnTheSecondSignalOfAnyKind() throws {
        let postern = try PosternProcess(["--data", ":memory:"])
        #expect(try postern.reply(to: "system.info")["result"] != nil)
        for _ in 0..<30 { postern.send("rpc.discover", [:]) }
        usleep(300_000)
        let start = ContinuousClock.now
        postern.signal(SIGINT)
        usleep(200_000)
        postern.signal(SIGTERM)
        #expect(postern.status == SIGTERM)
        #expect(ContinuousClock.now - start < .seconds(8))
    }

    /// A mail command that ignored SIGTERM once outlived the server.
    @Test func killsAMailCommandThatIgnoresSIGTERM() throws {
        let folder = TemporaryDirectory()
        let command = "command:trap '' TERM; echo $$ > \(folder.path("pid")); while :; do sleep 1; done"
        let postern = try PosternProcess(["--data", folder.path("store"), "--mail", command])
        #expect(try postern.reply(to: "operators.register", Self.registration)["result"] != nil)
        func process() -> Int32? {
            (try? String(contentsOfFile: folder.path("pid"), encoding: .utf8))
                .flatMap { Int32($0.trimmingCharacters(in: .whitespacesAndNewlines)) }
        }
        #expect(eventually { process() != nil })
        let mail = try #require(process())
        postern.closeInput()
        #expect(postern.status == 0)
        #expect(eventually(within: 2) { ["gone", "State:\tZ (zombie)"].contains(state(of: mail)) })
    }

    /// Only a command that ignores SIGTERM is killed: others may have to clean up.
    @Test func sendsSIGTERMToAMailCommand() throws {
        let folder = TemporaryDirectory()
        let (started, asked) = (folder.path("started"), folder.path("asked"))
        let command = "trap 'echo > \(asked); exit 1' TERM; echo > \(started); while :; do sleep 0.1; done"
        let postern = try PosternProcess(["--data", folder.path("store"), "--mail", "command:\(command)"])
        #expect(try postern.reply(to: "operators.register", Self.registration)["result"] != nil)
        #expect(eventually { FileManager.default.fileExists(atPath: started) })
        postern.closeInput()
        #expect(postern.status == 0)
        #expect(FileManager.default.fileExists(atPath: asked))
    }

    /// With few descriptors, the program once crashed, or did not report the cause.
    @Test(arguments: [4, 5])
    func reportsMissingDescriptorsInOneLine(_ limit: Int) throws {
        let outcome = try PosternProcess.run(["--data", ":memory:"], shell: "ulimit -n \(limit); exec \"$@\"")
        #expect(outcome.status == 1)
        #expect(outcome.errors.hasPrefix("postern: ") && outcome.errors.contains("ulimit -n"))
        #expect(outcome.errors.split(separator: "\n").count == 1)
    }

    /// When RLIMIT_NOFILE was lowered at run time, the loop once used a whole processor for ever.
    @Test(arguments: [0, 1])
    func continuesWithALimitBelowItsOpenDescriptors(limit: Int) throws {
        let postern = try PosternProcess(["--data", ":memory:"])
        #expect(try postern.reply(to: "system.info")["result"] != nil)
        let prlimit = try Process.run(
            URL(fileURLWithPath: "/usr/bin/prlimit"),
            arguments: ["--nofile=\(limit)", "--pid", "\(postern.processIdentifier)"]
        )
        prlimit.waitUntilExit()
        try #require(prlimit.terminationStatus == 0)
        #expect(try postern.reply(to: "system.info")["result"] != nil)
        func ticks() throws -> Int {
            let text = try String(contentsOfFile: "/proc/\(postern.processIdentifier)/stat", encoding: .utf8)
            let fields = text.split(separator: ")").last?.split(separator: " ") ?? []
            return (Int(fields[11]) ?? 0) + (Int(fields[12]) ?? 0)
        }
        let before = try ticks()
        usleep(1_000_000)
        #expect(try ticks() - before < 30)
        #expect(try postern.reply(to: "system.info")["result"] != nil)
        postern.finish()
        #expect(postern.status == 0)
    }

    /// As the first process of a PID namespace, the server once kept
    /// a zombie for every process that a mail command left behind.
    @Test(.enabled(if: getuid() == 0, "a PID namespace needs root"))
    func reapsOrphansAsTheFirstProcess() throws {
        let folder = TemporaryDirectory()
        let command = "command:cat >/dev/null; (sleep 0.2 & ) ; touch \(folder.path("sent"))"
        let postern = try PosternProcess(
            ["--data", folder.path("store"), "--mail", command],
            shell: "exec unshare --pid --fork --mount-proc \"$@\""
        )
        #expect(try postern.reply(to: "operators.register", Self.registration)["result"] != nil)
        #expect(eventually { FileManager.default.fileExists(atPath: folder.path("sent")) })
        func zombies() throws -> Int {
            let children = "/proc/\(postern.processIdentifier)/task/\(postern.processIdentifier)/children"
            let server = try String(contentsOfFile: children, encoding: .utf8).split(separator: " ").first ?? ""
            let list = try String(contentsOfFile: "/proc/\(server)/task/\(server)/children", encoding: .utf8)
            return list.split(separator: " ").count
        }
        #expect(try eventually { try zombies() == 0 })
        postern.finish()
        #expect(postern.status == 0)
    }

    /// Passwords could once be read from a core dump: of a server, and of a command that waits for its params.
    @Test(arguments: [[], ["call", "care.auth.token", "-"]])
    func forbidsCoreDumps(command: [String]) throws {
        let folder = TemporaryDirectory()
        let data = ["--data", folder.path("store")]
        try PosternProcess.run(data)
        let user = OtherUser.isAvailable ? OtherUser.shell() : nil
        if user != nil { try #require(chown(folder.path("store"), OtherUser.id, OtherUser.id) == 0) }
        let place = command.isEmpty ? [":memory:"] : [folder.path("store")]
        let postern = try PosternProcess(command + ["--data"] + place, shell: user)
        let process = "/proc/\(postern.processIdentifier)"
        func isForbidden() throws -> Bool {
            let limits = try String(contentsOfFile: process + "/limits", encoding: .utf8)
            let core = limits.split(separator: "\n").first { $0.hasPrefix("Max core file size") }
            // /proc files of a process that forbids dumps belong to root,
            // so other processes of its user cannot read its memory.
            let hasOwner = try user == nil || FileState(process + "/mem").owner == 0
            return core?.split(separator: " ").dropFirst(4).prefix(2) == ["0", "0"] && hasOwner
        }
        #expect(try eventually { try isForbidden() })
        postern.finish()
    }
}
