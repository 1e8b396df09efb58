#if Postgres
    import Foundation
    import JSON
    import PosternTesting
    import Testing

    /// What the real binary says about a database, which has no directory, no files and no lock of a directory.
    @Suite(.timeLimit(.minutes(5)))
    struct PostgresMessageTests {
        private let database: TestDatabase
        private var data: [String] { ["--data", database.address] }

        init() throws {
            database = try TestDatabase()
        }

        private func registration(_ email: String) -> JSONValue {
            ["user": ["first_name": "A", "last_name": "B", "email": .string(email)], "password": "p"]
        }

        /// Creates a store with operators.
        private func fill(_ emails: [String] = ["a@b.co"]) throws {
            let postern = try PosternProcess(data + ["--no-email-confirmation"])
            for email in emails {
                #expect(try postern.reply(to: "operators.register", registration(email))["result"] != nil)
            }
            #expect(postern.finish() == "")
        }

        private func expectError(
            _ words: [String],
            _ text: String,
            status: Int32 = 1,
            input: String = "",
            at place: SourceLocation = #_sourceLocation
        ) throws {
            let outcome = try PosternProcess.run(words + data, input: input)
            #expect(outcome.status == status && outcome.errors == "postern: \(text)\n", sourceLocation: place)
            #expect(outcome.output == "", sourceLocation: place)
        }

        @Test(arguments: [
            ["stats"], ["check"], ["export"], ["audit"], ["account", "list"], ["outbox", "list"], ["invite"],
        ])
        func saysThatThereIsNoStore(words: [String]) throws {
            try expectError(
                words,
                "the database cannot be used: there is no store in it; postern serve creates one"
            )
        }

        @Test(arguments: [["serve"], ["stats"], ["import"]])
        func saysWhatIsInTheWay(words: [String]) throws {
            try database.run("CREATE SCHEMA postern CREATE TABLE customers (id int)")
            try expectError(
                words,
                "the database cannot be used: its schema postern contains customers but no store; a store can be created "
                    + "only in a database without that schema, or with an empty one"
            )
        }

        @Test func saysThatTheStoreHasEntries() throws {
            try fill()
            try expectError(
                ["import"],
                "the database cannot be used: its store already has entries; postern import needs a database without a "
                    + "store, or with an empty one",
                input: PosternProcess.run(["export"] + data).output
            )
        }

        @Test(arguments: [
            (["backup", "/nonexistent/x"], "backup needs a directory; pg_dump makes a backup of a database"),
            (["compact"], "compact needs a directory; PostgreSQL compacts its tables automatically (VACUUM)"),
            (
                ["salvage", "/nonexistent/x"],
                "salvage needs a directory; pg_amcheck checks a database, and a backup restores it"
            ),
            (
                ["import", "--from", "csv", "--api", "operators", "--confirmed", "yes", "/nonexistent/x"],
                "import --from needs a directory; postern export and postern import move it to a database then"
            ),
        ])
        func saysWhatToUseInstead(words: [String], text: String) throws {
            try expectError(words, "postern \(text); see postern --help", status: 64)
        }

        /// The error does not repeat the address, which may have a password.
        @Test func saysHowToNameADatabase() throws {
            for scheme in ["postgres", "postgresql"] {
                let outcome = try PosternProcess.run(["\(scheme)://app:hidden-word@/accounts"])
                #expect(
                    outcome.status == 64
                        && outcome.errors
                            == "postern: the address of a database is no command; write --data before it; "
                            + "see postern --help\n"
                )
            }
        }

        /// The lines of an export name the records, as a record may have no key.
        @Test func namesFaultyRecordsByTheirLines() throws {
            try fill(["a@b.co", "b@b.co"])
            try database.run(
                """
                UPDATE postern.entries SET value = convert_to(replace(convert_from(value, 'UTF8'), 'b@b.co', 'a@b.co'), \
                'UTF8') WHERE key = 'operators/id/0000000002'
                """
            )
            let lines = try PosternProcess.run(["export"] + data).output.split(separator: "\n")
            let numbers = lines.indices.filter { lines[$0].contains("a@b.co") }.map { $0 + 1 }
            try #require(numbers.count == 2)
            let check = try PosternProcess.run(["check"] + data)
            #expect(
                check.output
                    == "fault: line \(numbers[1]) of postern export: operators/email/a@b.co already belongs to the record of "
                    + "line \(numbers[0])",
                "\(check)"
            )
            #expect(check.status == 1 && check.errors == "postern: the store has faults\n")
        }

        @Test func namesNoDirectoryInReplies() throws {
            try fill()
            let postern = try PosternProcess(data + ["--log-level", "info"])
            #expect(try postern.reply(to: "operators.signin", ["email": "a@b.co", "password": "p"])["result"] != nil)
            try database.run("UPDATE postern.meta SET format = 99")
            let error = try postern.reply(to: "operators.signin", ["email": "a@b.co", "password": "p"])["error"]
            #expect(error?["message"] == "The store cannot be relied on; see the log, and run postern check.")
            #expect(postern.finish() == "")
            let log = postern.errorText
            #expect(log.contains("serving PostgreSQL") && log.contains("the store has format 99"))
            for word in ["directory", "file", "lock"] { #expect(!log.contains(word), "\(log)") }
        }
    }
#endif
