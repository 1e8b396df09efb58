import Accounts
import Foundation
import JSON
import PosternTesting
import Testing

/// The data that remain after an account of the care API is deleted, tested with the real binary.
struct CareDeletionTests {
    private let folder = TemporaryDirectory()
    private var data: [String] { ["--data", folder.path("store")] }

    private func signIn(_ email: String, _ postern: PosternProcess) throws -> JSONValue {
        let params: JSONValue = ["email": .string(email), "password": "a password"]
        return try #require(try postern.reply(to: "care.auth.token", params)["result"]?["access_token"])
    }

    private func register(
        _ email: String,
        _ postern: PosternProcess,
        name: JSONValue = "Zebediah"
    ) throws -> JSONValue {
        let user: JSONValue = [
            "email": .string(email), "password": "a password", "role": "user", "first_name": name,
            "last_name": name == "Zebediah" ? "Quillfeather" : "", "phone": "+1 617 714 0000",
        ]
        #expect(try postern.reply(to: "care.user.register", user)["result"] != nil)
        return try signIn(email, postern)
    }

    /// The code in the text of a mail.
    private func code(_ number: Int) throws -> String {
        let mail = try PosternProcess.run(["outbox", "show", "\(number)"] + data).output
        return String(try #require(mail.firstMatch(of: /\n\n([0-9]+-[0-9a-f]{32})\n/)).output.1)
    }

    @Test func leavesNoDataOfTheAccountAfterCompaction() throws {
        let postern = try PosternProcess(data)
        let token = try register("Zebediah@quill.example", postern)
        let child: JSONValue = ["access_token": token, "first_name": "Hepzibah", "birthdate": "1999-12-31"]
        #expect(try postern.reply(to: "care.patients.create", child)["result"] != nil)
        let share: JSONValue = [
            "access_token": token, "patient_id": 2, "email": "aunt@quill.example", "access": "read",
            "group": "family",
        ]
        #expect(try postern.reply(to: "care.patients.share", share)["result"] != nil)
        for _ in 1...3 {
            let guess: JSONValue = ["email": "zebediah@quill.example", "password": "a guess"]
            #expect(try postern.reply(to: "care.auth.token", guess)["error"] != nil)
        }
        let resend: JSONValue = ["email": "zebediah@quill.example"]
        #expect(try postern.reply(to: "care.user.resend_confirmation", resend)["result"] != nil)
        let before = String(decoding: folder.contents, as: UTF8.self)
        let traces = ["zebediah", "quill", "Hepzibah", "1999-12-31", "617 714", "$argon2id"]
        for trace in traces { #expect(before.localizedCaseInsensitiveContains(trace), "\(trace)") }
        #expect(try postern.reply(to: "care.user.delete", ["access_token": token])["result"] != nil)
        // The mails to the address are deleted from the outbox.
        let listing = try PosternProcess.run(["outbox", "list"] + data).output
        #expect(!listing.localizedCaseInsensitiveContains("zebediah"))
        #expect(try PosternProcess.run(["compact"] + data).status == 0)
        postern.finish()
        let after = String(decoding: folder.contents, as: UTF8.self)
        // The invitation went to another person, so its mail does not belong to the account.
        for trace in traces where trace != "quill" {
            #expect(!after.localizedCaseInsensitiveContains(trace), "\(trace)")
        }
        let others = after.replacing("aunt@quill.example", with: "")
        #expect(!others.localizedCaseInsensitiveContains("quill"))
    }

    /// Mails to an address that the account had asked for, or had before it was proven, once stayed for a month.
    @Test func leavesNoMailToAPendingOrAnEarlierAddress() throws {
        let postern = try PosternProcess(data + ["--notices", "off"])
        let token = try register("zeb@earlier.example", postern)
        func change(_ email: String) throws {
            let change: JSONValue = ["access_token": token, "current_password": "a password", "email": .string(email)]
            #expect(try postern.reply(to: "care.user.change_email", change)["result"] != nil)
        }
        try change("zeb@superseded.example")
        try change("zeb@proven.example")
        let confirm: JSONValue = ["access_token": token, "code": .string(try code(3))]
        #expect(try postern.reply(to: "care.user.confirm_email_change", confirm)["result"] != nil)
        try change("zeb@pending.example")
        let traces = ["earlier", "superseded", "proven", "pending"].map { "zeb@\($0).example" }
        let before = String(decoding: folder.contents, as: UTF8.self)
        for trace in traces { #expect(before.contains(trace), "\(trace)") }
        // The mails of another account stay.
        _ = try register("other@b.co", postern)
        #expect(try postern.reply(to: "care.user.delete", ["access_token": token])["result"] != nil)
        let listing = try PosternProcess.run(["outbox", "list"] + data).output
        #expect(!listing.contains("zeb@") && listing.contains("other@b.co"))
        #expect(try PosternProcess.run(["compact"] + data).status == 0)
        postern.finish()
        let after = String(decoding: folder.contents, as: UTF8.self)
        for trace in traces { #expect(!after.contains(trace), "\(trace)") }
    }

    /// Registers an owner with many patients that are shared with an heir. Returns the tokens of both.
    private func share(_ many: Int, of email: String, _ postern: PosternProcess) throws -> [JSONValue] {
        let owner = try register(email, postern)
        let heir = try register("heir@b.co", postern, name: "Hera")
        let confirm: JSONValue = ["access_token": heir, "code": .string(try code(2))]
        #expect(try postern.reply(to: "care.user.confirm_email", confirm)["result"] != nil)
        for patient in 3..<3 + many {
            postern.send("care.patients.create", ["access_token": owner, "first_name": "Kim"])
            postern.send(
                "care.patients.share",
                [
                    "access_token": owner, "patient_id": .number("\(patient)"), "email": "heir@b.co",
                    "access": "read", "group": "prime",
                ]
            )
        }
        for _ in 0..<2 * many { #expect(try postern.nextReply()["result"] != nil) }
        return [owner, heir]
    }

    /// The statistics of a store once it has no jobs left.
    private func statistics(withoutJobsOf data: [String]) throws -> String {
        let deadline = ContinuousClock.now.advanced(by: .seconds(60))
        while true {
            let statistics = try PosternProcess.run(["stats"] + data).output
            if !statistics.contains("care.jobs") || ContinuousClock.now > deadline { return statistics }
            Thread.sleep(forTimeInterval: 0.1)
        }
    }

    /// `check` once reported a fault in a store whose server was killed during a job,
    /// and its export could not be imported.
    @Test func leavesASoundStoreAndExportInTheMiddleOfAJob() throws {
        let many = 700
        let first = try PosternProcess(data)
        let tokens = try share(many, of: "Zebediah@quill.example", first)
        #expect(try first.reply(to: "care.user.delete", ["access_token": tokens[0]])["result"] != nil)
        first.kill()
        #expect(try PosternProcess.run(["stats"] + data).output.contains("care.jobs"), "the job has ended already")

        let check = try PosternProcess.run(["check"] + data)
        #expect(check.status == 0, "\(check.output.prefix(1_000))")
        let export = try PosternProcess.run(["export"] + data).output
        #expect(export.contains(#"{"collection":"care.jobs","record":{"kind":"account","subject":1,"#))
        let other = ["--data", folder.path("other")]
        let imported = try PosternProcess.run(["import"] + other, input: export)
        #expect(imported.status == 0, "\(imported.errors.prefix(1_000))")
        #expect(try PosternProcess.run(["check"] + other).status == 0)

        // Without the job, the remaining records have no owner. Any other job must fit the existing records.
        let lines = export.split(separator: "\n").map(String.init)
        func refusal(_ lines: [String]) throws -> String {
            let outcome = try PosternProcess.run(
                ["import", "--data", folder.path("refused")],
                input: lines.joined(separator: "\n") + "\n"
            )
            #expect(outcome.status == 1)
            return outcome.errors
        }
        let without = try refusal(lines.filter { !$0.contains(#"{"collection":"care.jobs""#) })
        #expect(without.contains(": owner: there is no record care.users/id/0000000001"))
        let others = [
            (
                #""kind":"account","subject":2,"mark":1"#,
                "care.users/id/0000000002 exists, although this record is its substitute"
            ),
            (#""kind":"patient","subject":2,"mark":0"#, "care.patients/id/0000000002 exists, although this record"),
            (#""kind":"opening","subject":1,"mark":0"#, "subject: there is no record care.users/id/0000000001"),
            (#""kind":"takeover","subject":3,"mark":1"#, "subject: there is no record care.users/id/0000000003"),
            (
                #""kind":"takeover","subject":2,"mark":9999999000"#,
                "the counter care.shares must be at least 9999999000"
            ),
            (#""kind":"takeover","subject":2,"mark":1,"mark":1"#, "is unknown or occurs twice"),
        ]
        for (job, fault) in others {
            let line = #"{"collection":"care.jobs","record":{\#(job),"next":0,"share":0,"address":null}}"#
            let errors = try refusal([line] + lines)
            #expect(errors.contains(fault), "\(job): \(errors.prefix(500))")
        }

        // The job goes on in both stores, and leaves no data of the account.
        for data in [data, other] {
            let postern = try PosternProcess(data)
            #expect(try statistics(withoutJobsOf: data).contains("care.shares: \(many + 1)"))
            let list: JSONValue = ["access_token": tokens[1], "limit": 1, "offset": .number("\(many)")]
            let page = try postern.reply(to: "care.patients.list", list)["result"]
            #expect(page?["count"]?.int == many + 1)
            #expect(page?["patients"]?.array?.first?["group"]?.string == "owner")
            #expect(try PosternProcess.run(["compact"] + data).status == 0)
            postern.finish()
            #expect(try PosternProcess.run(["check"] + data).status == 0)
        }
        let after = String(decoding: folder.contents, as: UTF8.self)
        #expect(after.contains("heir@b.co"))
        for trace in ["zebediah", "quill"] { #expect(!after.localizedCaseInsensitiveContains(trace), "\(trace)") }
    }

    /// A server that is killed right after its reply leaves the rest of the job to the next server.
    @Test func continuesTheJobAfterACrash() throws {
        let many = 700
        let first = try PosternProcess(data)
        let tokens = try share(many, of: "owner@b.co", first)
        let heir = tokens[1]
        #expect(try first.reply(to: "care.user.delete", ["access_token": tokens[0]])["result"] != nil)
        first.kill()

        let second = try PosternProcess(data)
        let list: JSONValue = ["access_token": heir, "limit": 1, "offset": .number("\(many)")]
        for _ in 0..<20 {
            let page = try second.reply(to: "care.patients.list", list)["result"]
            #expect(page?["count"]?.int == many + 1)
            #expect(page?["patients"]?.array?.first?["creator"]?.string == "heir@b.co")
            #expect(page?["patients"]?.array?.first?["group"]?.string == "owner")
        }
        #expect(try statistics(withoutJobsOf: data).contains("care.shares: \(many + 1)"))
        second.finish()
    }

    /// If a host only ever runs `postern call`, the rest of a deletion job was once never done.
    @Test func oneCallCompletesTheJob() throws {
        let postern = try PosternProcess(data)
        let token = try register("a@quill.example", postern)
        let count = Accounts.Limits.jobRecordsMax + 200
        for number in 1...count {
            postern.send("care.patients.create", ["access_token": token, "first_name": .string("Patient \(number)")])
        }
        for _ in 1...count { #expect(try postern.nextReply()["result"] != nil) }
        postern.finish()
        let call = try PosternProcess.run(["call", "care.user.delete", #"{"access_token":\#(token.text)}"#] + data)
        #expect(call.status == 0, "\(call)")
        let export = try PosternProcess.run(["export"] + data).output
        #expect(!export.contains("Patient "))
    }
}
