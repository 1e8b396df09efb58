import Foundation
import JSON
import PosternTesting
import Testing

/// How the program starts and ends, and what it does with its descriptors.
struct LifeCycleTests {
    private static let register = #"{"user":{"first_name":"A","last_name":"B","email":"a@b.co"},"password":"p"}"#

    @Test func answersAllRequestsAtTheEndOfTheInput() throws {
        let lines = (1...200).map { #"{"jsonrpc":"2.0","id":\#($0),"method":"system.info"}"# }
        let outcome = try PosternProcess.run(["--data", ":memory:"], input: lines.joined(separator: "\n"))
        #expect(outcome.status == 0 && outcome.errors == "")
        let ids = try outcome.output.split(separator: "\n").map { try JSONValue(parsing: String($0))["id"]?.int }
        #expect(ids == (1...200).map { $0 })
    }

    @Test func answersRequestsThatWaitForHashingBeforeItEnds() throws {
        let lines = (1...20).map { number in
            #"{"jsonrpc":"2.0","id":\#(number),"method":"care.user.register","params":"#
                + #"{"email":"c\#(number)@b.co","password":"p","role":"user"}}"#
        }
        let outcome = try PosternProcess.run(["--data", ":memory:"], input: lines.joined(separator: "\n"))
        #expect(outcome.output.split(separator: "\n").filter { $0.contains("\"success\":true") }.count == 20)
        #expect(outcome.status == 0)
    }

    /// Thread stacks larger than the address space simulate a host that allows no new threads.
    @Test func servesWithoutThreads() throws {
        let email: JSONValue = ["email": "a@b.co"]
        let password: JSONValue = ["email": "a@b.co", "password": "p", "role": "user"]
        let postern = try PosternProcess(
            ["--data", ":memory:", "--mail", "command:cat >/dev/null"],
            shell: #"ulimit -s 8000000; ulimit -v 4000000; exec "$@""#
        )
        #expect(try postern.reply(to: "care.user.register", password)["result"] != nil)
        #expect(try postern.reply(to: "care.auth.token", password)["result"] != nil)
        #expect(try postern.reply(to: "care.user.reset_password", email)["result"] != nil)
        #expect(try postern.reply(to: "rpc.discover").text.utf8.count > 10_000)
        #expect(postern.finish() == "" && postern.status == 0)
        #expect(postern.errorText.contains("and is retried in 60 seconds: no thread could be started"))
    }

    @Test(arguments: [SIGTERM, SIGINT])
    func endsWithStatusZeroOnASignal(signal: Int32) throws {
        let postern = try PosternProcess(["--data", ":memory:", "--log-level", "info"])
        #expect(try postern.reply(to: "system.info")["result"] != nil)
        postern.signal(signal)
        #expect(postern.nextLine() == nil)
        #expect(postern.status == 0)
        #expect(postern.errorText.contains("level=info message=\"stopped by a signal\""))
    }

    @Test func endsQuietlyWhenItsOutputIsClosed() throws {
        let folder = TemporaryDirectory()
        let postern = try PosternProcess(["--data", folder.path("store"), "--no-email-confirmation"])
        #expect(try postern.reply(to: "operators.register", JSONValue(parsing: Self.register))["result"] != nil)
        postern.closeOutput()
        // A process that another test starts at this moment inherits the pipe too,
        // and then the pipe has a reader until that process ends.
        for _ in 0..<500 where postern.isRunning {
            postern.send("system.info", [:])
            usleep(100_000)
        }
        try #require(!postern.isRunning)
        #expect(postern.status == 0)
        #expect(postern.errorText == "")
        let sign = #"{"email":"a@b.co","password":"p"}"#
        let data = ["--data", folder.path("store"), "--no-email-confirmation"]
        #expect(try PosternProcess.run(["call", "operators.signin", sign] + data).status == 0)
    }

    @Test func keepsStrayPrintsOutOfTheReplies() throws {
        let postern = try PosternProcess(["--data", ":memory:"])
        _ = try postern.reply(to: "system.info")
        let descriptors = "/proc/\(postern.processIdentifier)/fd"
        let destinations = try ["1", "2"].map {
            try FileManager.default.destinationOfSymbolicLink(atPath: "\(descriptors)/\($0)")
        }
        #expect(destinations[0] == destinations[1])
        // The program does not change the file status flags of descriptors that it shares with other processes.
        let flags = try String(contentsOfFile: "/proc/\(postern.processIdentifier)/fdinfo/0", encoding: .utf8)
        let mode = flags.split(separator: "\n").first { $0.hasPrefix("flags:") }?.split(separator: "\t").last
        #expect(try #require(mode.flatMap { Int($0, radix: 8) }) & Int(O_NONBLOCK) == 0)
    }

    /// Replies were once lost without an error when stdout was full or closed.
    @Test(arguments: ["> /dev/full", ">&-", "< /tmp"])
    func reportsAnInputOrOutputThatFails(redirection: String) throws {
        let info = #"{"jsonrpc":"2.0","id":1,"method":"system.info"}"#
        let shell = "exec \"$@\" \(redirection)"
        let outcome = try PosternProcess.run(["--data", ":memory:"], input: info + "\n", shell: shell)
        #expect(outcome.status == 1)
        #expect(
            outcome.errors.hasPrefix(
                "postern: requests and replies: \(redirection.hasPrefix(">") ? "write" : "read"): "
            )
        )
        let version = try PosternProcess.run(["version"], shell: shell)
        #expect(version.status == (redirection.hasPrefix(">") ? 1 : 0))
    }

    /// A store file once got the descriptor number of a closed stderr, and the log was written into it.
    @Test func neverReusesClosedStandardDescriptors() throws {
        let folder = TemporaryDirectory()
        let data = ["--data", folder.path("store"), "--log-level", "info"]
        let register = #"{"jsonrpc":"2.0","id":1,"method":"operators.register","params":\#(Self.register)}"#
        let closed = try PosternProcess.run(data, input: register, shell: #"exec "$@" 2>&-"#)
        #expect(closed.status == 0 && closed.output.contains("\"result\""))
        #expect(try PosternProcess.run(data, shell: #"exec "$@" <&-"#).status == 0)
        #expect(try PosternProcess.run(data, shell: #"exec "$@" >&-"#).status == 0)
        let again = try PosternProcess.run(data, input: register)
        #expect(again.output.contains("operator_exists"))
        #expect(!String(decoding: folder.contents, as: UTF8.self).contains("level="))
    }

    @Test func severalProcessesShareOneDirectory() throws {
        let folder = TemporaryDirectory()
        let data = ["--data", folder.path("store")]
        let (first, second) = (try PosternProcess(data), try PosternProcess(data))
        let register: JSONValue = ["email": "a@b.co", "password": "p", "role": "user"]
        #expect(try first.reply(to: "care.user.register", register)["result"] != nil)
        let again = try second.reply(to: "care.user.register", register)
        #expect(again["error"]?["data"]?["errors"] == ["user_already_exists"])
        // The command line works beside the servers, and the servers see its changes at once.
        let params = #"{"email":"c@d.co","password":"p","role":"user"}"#
        let called = try PosternProcess.run(["call", "care.user.register", params] + data)
        #expect(called.status == 0 && called.errors == "")
        #expect(try PosternProcess.run(["stats"] + data).output.contains("care.users: 2"))
        let taken: JSONValue = ["email": "c@d.co", "password": "p", "role": "user"]
        for postern in [first, second] {
            let reply = try postern.reply(to: "care.user.register", taken)
            #expect(reply["error"]?["data"]?["errors"] == ["user_already_exists"])
        }
        first.kill()
        let still = try second.reply(to: "care.user.register", register)
        #expect(still["error"]?["data"]?["errors"] == ["user_already_exists"])
    }

    @Test func namesTheProcessThatHoldsTheLock() throws {
        let folder = TemporaryDirectory()
        let data = ["--data", folder.path("store"), "--lock-wait", "0"]
        let postern = try PosternProcess(data)
        let user: JSONValue = ["email": "c@d.co", "password": "p", "role": "user"]
        _ = try postern.reply(to: "care.user.register", user)
        let token = try #require(try postern.reply(to: "care.auth.token", user)["result"]?["access_token"])
        let lock = open(folder.path("store/lock"), O_RDONLY)
        defer { close(lock) }
        try #require(flock(lock, LOCK_EX) == 0)
        let register: JSONValue = ["email": "a@b.co", "password": "p", "role": "user"]
        let busy = try postern.reply(to: "care.user.register", register)["error"]
        #expect(busy?["code"]?.int == 423 && busy?["data"]?["errors"] == ["busy"])
        #expect(postern.errorText.contains("is in use by process \(getpid())"))
        let other = try PosternProcess.run(["stats"] + data)
        #expect(other.status == 1 && other.errors.contains("is in use by process \(getpid())"))
        // Entries that are known to be the latest are still served, and everything once the lock is free.
        let view = try postern.reply(to: "care.user.view", ["access_token": token])
        #expect(view["result"]?["email"] == "c@d.co")
        flock(lock, LOCK_UN)
        #expect(try postern.reply(to: "care.user.register", register)["result"] != nil)
    }

    /// The server once waited for the lock synchronously: each write waited again,
    /// and every read waited for the writes.
    @Test func answersReadsWhileWritesWaitForTheLock() throws {
        let folder = TemporaryDirectory()
        let data = ["--data", folder.path("store"), "--lock-wait", "1", "--replies", "as-completed"]
        let postern = try PosternProcess(data)
        let tokens = try ["a@b.co", "c@d.co"].map { email in
            let user: JSONValue = ["email": .string(email), "password": "p", "role": "user"]
            _ = try postern.reply(to: "care.user.register", user)
            return try #require(try postern.reply(to: "care.auth.token", user)["result"]?["access_token"])
        }
        let lock = open(folder.path("store/lock"), O_RDONLY)
        defer { close(lock) }
        try #require(flock(lock, LOCK_EX) == 0)
        for _ in 1...5 { postern.send("care.auth.revoke", ["access_token": tokens[0]]) }
        postern.send("care.user.view", ["access_token": tokens[1]])
        #expect(try postern.nextReply()["result"]?["email"] == "c@d.co")
        let start = ContinuousClock.now
        for _ in 1...5 { #expect(try postern.nextReply()["error"]?["data"]?["errors"] == ["busy"]) }
        // All five share one wait.
        #expect(ContinuousClock.now - start < .seconds(4))
    }

    @Test func continuesWhenItsLogIsNotRead() throws {
        let folder = TemporaryDirectory()
        // No process reads the pipe at its stderr, and every write exceeds a limit, which is logged.
        let postern = try PosternProcess(
            ["--data", folder.path("store")],
            shell: #"mkfifo fifo; exec 3<> fifo; ulimit -f 8; exec "$@" 2>&3"#,
            folder: URL(fileURLWithPath: folder.path)
        )
        let registered = try postern.reply(to: "operators.register", JSONValue(parsing: Self.register))
        let session = try #require(registered["result"]?["session_id"])
        for number in 0..<3_000 {
            let person: JSONValue = ["first_name": "C", "last_name": "D", "email": .string("c\(number)@b.co")]
            let client: JSONValue = ["user": person, "address": "x"]
            postern.send("operators.client.create", ["user_id": 1, "session_id": session, "client": client])
        }
        postern.closeInput()
        #expect(postern.remainingLines() == 3_000)
        #expect(postern.status == 0)
    }

    /// If the memory for a hash cannot be allocated, the request fails, the program goes on, and no guess is counted.
    @Test func survivesALackOfMemory() throws {
        let postern = try PosternProcess(["--data", ":memory:", "--no-email-confirmation"])
        _ = try postern.reply(to: "operators.register", JSONValue(parsing: Self.register))
        let right: JSONValue = ["email": "a@b.co", "password": "p"]
        #expect(try postern.reply(to: "operators.signin", right)["result"] != nil)
        let room = try postern.memory("VmSize") + (6 << 20)
        try limitMemory(of: postern.processIdentifier, to: "\(room)")
        for _ in 1...12 {
            #expect(try postern.reply(to: "operators.signin", right)["error"]?["code"]?.int == -32_603)
        }
        #expect(try postern.reply(to: "system.info")["result"] != nil)
        try limitMemory(of: postern.processIdentifier, to: "unlimited")
        #expect(try postern.reply(to: "operators.signin", right)["result"] != nil)
        #expect(postern.errorText.contains("operators.signin: unexpected PasswordHashingFailed"))
    }

    /// The same for an imported hash that needs more memory than the hashes made here.
    @Test func countsNoGuessWhenThereIsTooLittleMemoryForAnImportedHash() throws {
        let folder = TemporaryDirectory()
        let hash = "$argon2id$v=19$m=262144,t=2,p=1$WJC+EBYT2Cm8v/6vP4AALw$QmDcInomx+YkjeDVvizoktBU17c+K6dtegSszIvy80E"
        let data = ["--data", folder.path("store"), "--no-email-confirmation"]
        let first = try PosternProcess(["--data", folder.path("first")])
        _ = try first.reply(to: "operators.register", JSONValue(parsing: Self.register))
        first.finish()
        let export = try PosternProcess.run(["export", "--data", folder.path("first")]).output
        let own = try #require(export.firstMatch(of: /\$argon2id\$[^"]*/)).output
        let edited = export.replacing(own, with: hash)
        try #require(PosternProcess.run(["import"] + data.prefix(2), input: edited).status == 0)
        let postern = try PosternProcess(data)
        let guess: JSONValue = ["email": "a@b.co", "password": "x"]
        let wrong = try postern.reply(to: "operators.signin", guess)["error"]
        #expect(try #require(wrong?["code"]?.int) != -32_603)
        let room = try postern.memory("VmSize") + (100 << 20)
        try limitMemory(of: postern.processIdentifier, to: "\(room)")
        for _ in 1...12 {
            #expect(try postern.reply(to: "operators.signin", guess)["error"]?["code"]?.int == -32_603)
        }
        try limitMemory(of: postern.processIdentifier, to: "unlimited")
        #expect(try postern.reply(to: "operators.signin", guess)["error"] == wrong)
    }

    private func limitMemory(of process: Int32, to limit: String) throws {
        let command = try Process.run(
            URL(fileURLWithPath: "/usr/bin/prlimit"),
            arguments: ["--pid", "\(process)", "--as=\(limit):"]
        )
        command.waitUntilExit()
        #expect(command.terminationStatus == 0)
    }

    @Test func limitsMemoryForAClientThatDoesNotRead() throws {
        let postern = try PosternProcess(["--data", ":memory:"])
        let request = Data((#"{"jsonrpc":"2.0","id":1,"method":"rpc.discover"}"# + "\n").utf8)
        let flood = Data(repeatElement(request, count: 2_500).joined())
        postern.finishBeside(flood)
        var peak = 0
        for _ in 0..<40 {
            usleep(50_000)
            peak = max(peak, try postern.memory("VmRSS"))
        }
        // One reply has about 60 kB, and all of them 150 MB. Unread replies are limited to 64 MiB.
        #expect(peak < 120 << 20)
        #expect(postern.remainingLines() == 2_500)
    }

    /// Sign-ins are the most expensive requests: each may need a hash of 19 MiB.
    @Test func limitsMemoryForPipelinedSignIns() throws {
        let count = 100_000
        let postern = try PosternProcess(["--data", ":memory:"])
        let user: JSONValue = ["email": "a@b.co", "password": "p", "role": "user"]
        _ = try postern.reply(to: "care.user.register", user)
        let token = try postern.reply(to: "care.auth.token", ["email": "a@b.co", "password": "p"])
        let params: JSONValue = ["access_token": try #require(token["result"]?["access_token"])]
        let guess = #""method":"care.auth.token","params":{"email":"a@b.co","password":"x"}}"#
        let lines = (1...count).map { #"{"jsonrpc":"2.0","id":\#($0),\#(guess)"# }
        let view = #"{"jsonrpc":"2.0","id":0,"method":"care.user.view","params":\#(params.text)}"#
        let flood = Data((lines + [view, ""]).joined(separator: "\n").utf8)
        postern.finishBeside(flood)
        var errors: [Int: Int] = [:]
        var peak = 0
        for number in 0..<count {
            let reply = try postern.nextReply()
            errors[reply["error"]?["code"]?.int ?? 0, default: 0] += 1
            if number % 1_000 == 0 { peak = max(peak, try postern.memory("VmRSS")) }
        }
        // Ten replies say that the password is wrong, and all others that the account is locked.
        #expect(errors == [401: 10, 403: count - 10])
        #expect(peak < 512 << 20, "\(peak >> 20) MiB")
        #expect(try postern.nextReply()["result"]?["email"] == "a@b.co")
        #expect(postern.remainingLines() == 0 && postern.status == 0)
    }
}
