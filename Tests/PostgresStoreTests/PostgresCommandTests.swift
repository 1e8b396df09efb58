#if Postgres
    import Foundation
    import JSON
    import PosternTesting
    import Testing

    /// The commands of the real binary on a real server, and what a server sends its host.
    @Suite(.timeLimit(.minutes(5)))
    struct PostgresCommandTests {
        private let folder = TemporaryDirectory()
        private let database: TestDatabase
        private var data: [String] { ["--data", database.address] }
        private var directory: [String] { ["--data", folder.path("store")] }

        init() throws {
            database = try TestDatabase()
        }

        private func registration(_ email: String) -> JSONValue {
            ["user": ["first_name": "A", "last_name": "B", "email": .string(email)], "password": "p"]
        }

        /// Registers operators, one of whom has clients.
        private func fill(_ data: [String]) throws {
            let postern = try PosternProcess(data + ["--no-email-confirmation"])
            let first = try postern.reply(to: "operators.register", registration("a@b.co"))["result"]
            for number in 1...30 {
                let params: JSONValue = [
                    "user_id": first?["id"] ?? .null, "session_id": first?["session_id"] ?? .null,
                    "client": [
                        "user": ["first_name": "C", "last_name": "D", "email": .string("c\(number)@b.co")],
                        "address": "\u{E9} \"\\",
                    ],
                ]
                #expect(try postern.reply(to: "operators.client.create", params)["result"] != nil)
            }
            for number in 1...3 {
                #expect(try postern.reply(to: "operators.register", registration("b\(number)@b.co"))["result"] != nil)
            }
            #expect(try postern.reply(to: "operators.signin", ["email": "x@b.co", "password": "p"])["error"] != nil)
            #expect(postern.finish() == "")
        }

        private func export(_ data: [String]) throws -> String {
            let outcome = try PosternProcess.run(["export"] + data)
            #expect(outcome.status == 0, "\(outcome.errors)")
            return outcome.output
        }

        private func lines(_ text: String) -> [Substring] { text.split(separator: "\n").sorted() }

        @Test func movesFromADirectoryToADatabaseAndBack() throws {
            try fill(directory)
            let exported = try export(directory)
            let imported = try PosternProcess.run(["import"] + data, input: exported)
            #expect(
                imported.status == 0 && imported.output.hasSuffix(" records into PostgreSQL"),
                "\(imported.errors)"
            )
            let again = try PosternProcess.run(["import"] + data, input: exported)
            #expect(again.status == 1 && again.errors.contains("its store already has entries"))
            let back = try export(data)
            #expect(lines(back) == lines(exported))
            #expect(try PosternProcess.run(["check"] + data).output.hasPrefix("sound: "))
            // Numbers go on after those of the directory.
            let postern = try PosternProcess(data + ["--no-email-confirmation"])
            #expect(try postern.reply(to: "operators.register", registration("n@b.co"))["result"]?["id"]?.int ?? 0 >= 5)
            #expect(postern.finish() == "")
            let copy = ["--data", folder.path("copy")]
            #expect(try PosternProcess.run(["import"] + copy, input: export(data)).status == 0)
            #expect(try PosternProcess.run(["check"] + copy).output.hasPrefix("sound: "))
            let statistics = try PosternProcess.run(["stats"] + data).output
            #expect(statistics.contains("operators: 5\n") && statistics.contains("operators.clients: 30\n"))
        }

        /// A connection holds the lock of a process that numbers events: no event has a number until it is released.
        @Test func waitsForAProcessThatNumbersEvents() throws {
            try fill(data)
            let postern = try PosternProcess(data + ["--no-email-confirmation"])
            let audit = try database.withLock(0x65_7665_6E74_73) {
                #expect(try postern.reply(to: "operators.register", registration("late@b.co"))["result"] != nil)
                let audit = try PosternProcess(["audit", "--json"] + data)
                while try database.connectionsWaitingForLocks == 0 {
                    try #require(audit.isRunning, "the command has not waited")
                    Thread.sleep(forTimeInterval: 0.01)
                }
                return audit
            }
            let events = audit.finish()
            #expect(lines(events).count == 36, "\(events) \(audit.errorText)")
            #expect(postern.finish() == "")
        }

        @Test func importsNothingIfARecordBreaksARule() throws {
            try fill(directory)
            let text = try export(directory).replacing("c7@b.co", with: "c8@b.co")
            let imported = try PosternProcess.run(["import"] + data, input: text)
            #expect(imported.status == 1 && imported.errors.contains("already belongs to the record of line"))
            #expect(try PosternProcess.run(["stats"] + data).output.hasSuffix("entries       0"))
        }

        @Test(arguments: [
            (
                "DELETE FROM postern.entries WHERE key = 'operators/email/a@b.co'",
                "operators/email/a@b.co: the entry is missing"
            ),
            (
                "INSERT INTO postern.entries VALUES ('operators/email/z@b.co', '\"0000000001\"')",
                "operators/email/z@b.co: an index entry without its record"
            ),
            (
                "UPDATE postern.entries SET value = '\"0000000002\"' WHERE key = 'operators/email/a@b.co'",
                "operators/email/a@b.co: the entry has another value"
            ),
            ("DELETE FROM postern.entries WHERE key = 'operators/id/0000000001'", "there is no record operators/id/"),
            ("SELECT setval('postern.next_operators', 1)", "the counter operators must be at least 4"),
        ])
        func findsWhatIsWrong(statement: String, fault: String) throws {
            try fill(data)
            #expect(try PosternProcess.run(["check"] + data).status == 0)
            try database.run(statement)
            let outcome = try PosternProcess.run(["check"] + data)
            #expect(
                outcome.status == 1 && outcome.output.contains("fault: ") && outcome.output.contains(fault),
                "\(outcome)"
            )
        }

        @Test func sendsTheEventsOfAllProcessesInOrder() throws {
            let host = try PosternProcess(data + ["--events", "--no-email-confirmation"])
            #expect(try host.reply(to: "system.info")["result"]?["store"]?["kind"] == "postgres")
            let others = try (0..<3).map { _ in try PosternProcess(data + ["--no-email-confirmation"]) }
            for number in 1...5 {
                for (place, other) in others.enumerated() {
                    other.send("operators.register", registration("o\(place)-\(number)@b.co"))
                }
            }
            for other in others { for _ in 1...5 { #expect(try other.nextReply()["result"] != nil) } }
            #expect(try PosternProcess.run(["account", "disable", "operators:o1-1@b.co"] + data).status == 0)
            var numbers: [Int] = []
            var kinds: [String] = []
            while kinds.last != "admin_account_disabled" {
                let event = try host.nextReply()
                #expect(event["method"] == "event")
                numbers.append(event["params"]?["seq"]?.int ?? 0)
                kinds.append(event["params"]?["kind"]?.string ?? "")
            }
            #expect(numbers == numbers.sorted() && Set(numbers).count == 16)
            #expect(kinds.count { $0 == "registered" } == 15)
            for other in others { #expect(other.finish() == "") }
            #expect(host.finish() == "")
        }

        @Test func sendsAMailThroughTheHost() throws {
            let postern = try PosternProcess(data + ["--mail", "host"])
            #expect(try postern.reply(to: "operators.register", registration("a@b.co"))["result"] != nil)
            let request = try postern.nextReply()
            #expect(request["method"] == "mail.deliver" && request["params"]?["to"] == "a@b.co")
            postern.send(#"{"jsonrpc":"2.0","id":\#(request["id"]?.text ?? ""),"result":null}"#)
            let code = request["params"]?["code"] ?? .null
            #expect(try postern.reply(to: "operators.confirm_email", ["code": code])["result"] != nil)
            #expect(postern.finish() == "" && postern.status == 0)
            #expect(try PosternProcess.run(["outbox", "list"] + data).output.contains("\tdelivered\t"))
        }

        /// A mail that is posted long after the start, once by the same process and once by another one, is not left to
        /// the next look of a minute.
        @Test func sendsALaterMailSoon() throws {
            let postern = try PosternProcess(data + ["--mail", "host"])
            #expect(try postern.reply(to: "system.info")["result"] != nil)
            Thread.sleep(forTimeInterval: 2)
            let start = ContinuousClock.now
            for email in ["a@b.co", "b@b.co"] {
                if email == "a@b.co" {
                    #expect(try postern.reply(to: "operators.register", registration(email))["result"] != nil)
                } else {
                    let other = try PosternProcess(data)
                    #expect(try other.reply(to: "operators.register", registration(email))["result"] != nil)
                    #expect(other.finish() == "")
                }
                let request = try postern.nextReply()
                #expect(request["method"] == "mail.deliver" && request["params"]?["to"]?.string == email)
                postern.send(#"{"jsonrpc":"2.0","id":\#(request["id"]?.text ?? ""),"result":null}"#)
            }
            #expect(ContinuousClock.now - start < .seconds(30))
            #expect(postern.finish() == "")
        }

        /// The loop answers `initialize`, and a worker with a service of its own runs the tools that need the store.
        @Test func callsToolsAfterAHandshake() throws {
            let postern = try PosternProcess(data + ["--no-email-confirmation"])
            let handshake: JSONValue = [
                "protocolVersion": "2025-06-18", "capabilities": [:], "clientInfo": ["name": "t", "version": "1"],
            ]
            #expect(try postern.reply(to: "initialize", handshake)["result"]?["protocolVersion"] == "2025-06-18")
            for number in 1...8 {
                let call: JSONValue = ["name": "operators_register", "arguments": registration("a\(number)@b.co")]
                let result = try postern.reply(to: "tools/call", call)["result"]
                #expect(result?["structuredContent"]?["user"]?["email"]?.string == "a\(number)@b.co")
            }
            #expect(postern.finish() == "")
        }

        /// A handshake of one process says nothing about the peer of another.
        @Test func wantsAnEnvelopeWithoutAHandshake() throws {
            let postern = try PosternProcess(data)
            let call: JSONValue = ["name": "operators_register", "arguments": registration("a@b.co")]
            #expect(try postern.reply(to: "tools/call", call)["error"]?["code"] == -32602)
            #expect(postern.finish() == "")
        }

        @Test func writesMailsToADirectory() throws {
            let postern = try PosternProcess(data + ["--mail", "directory:\(folder.path("mails"))"])
            #expect(try postern.reply(to: "operators.register", registration("a@b.co"))["result"] != nil)
            #expect(postern.finish() == "")
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path("mails")).count == 1)
        }

        /// The password of the URI is in no output.
        @Test func namesNoPassword() throws {
            let address = database.address.replacing("postgres@", with: "postgres:hidden-word@")
            let postern = try PosternProcess(["--data", address, "--log-level", "info"])
            #expect(try postern.reply(to: "system.info")["result"] != nil)
            #expect(postern.finish() == "")
            #expect(postern.errorText.contains("serving PostgreSQL") && !postern.errorText.contains("hidden-word"))
        }
    }
#endif
