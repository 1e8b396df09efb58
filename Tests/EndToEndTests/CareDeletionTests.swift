import Accounts
import Foundation
import JSON
import PosternTesting
import Testing

/// What deleting an account of the care API leaves behind, through the real binary.
struct CareDeletionTests {
    private let folder = TemporaryDirectory()
    private var data: [String] { ["--data", folder.path("store")] }

    private func signIn(_ email: String, _ postern: PosternProcess) throws -> JSONValue {
        let params: JSONValue = ["email": .string(email), "password": "a password"]
        return try #require(try postern.reply(to: "care.auth.token", params)["result"]?["access_token"])
    }

    private func register(_ email: String, _ postern: PosternProcess) throws -> JSONValue {
        let user: JSONValue = [
            "email": .string(email), "password": "a password", "role": "user", "first_name": "Zebediah",
            "last_name": "Quillfeather", "phone": "+1 617 714 0000",
        ]
        #expect(try postern.reply(to: "care.user.register", user)["result"] != nil)
        return try signIn(email, postern)
    }

    /// The code in the text of a mail.
    private func code(_ number: Int) throws -> String {
        let mail = try PosternProcess.run(["outbox", "show", "\(number)"] + data).output
        return String(try #require(mail.firstMatch(of: /\n\n([0-9]+-[0-9a-f]{32})\n/)).output.1)
    }

    @Test func leavesNoByteOfTheAccountOnceTheStoreIsCompacted() throws {
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
        // The mails to the address wait no more.
        let listing = try PosternProcess.run(["outbox", "list"] + data).output
        #expect(!listing.localizedCaseInsensitiveContains("zebediah"))
        #expect(try PosternProcess.run(["merge"] + data).status == 0)
        postern.finish()
        let after = String(decoding: folder.contents, as: UTF8.self)
        // The invitation went to another, and its mail is not the account's.
        for trace in traces where trace != "quill" {
            #expect(!after.localizedCaseInsensitiveContains(trace), "\(trace)")
        }
        let others = after.replacing("aunt@quill.example", with: "")
        #expect(!others.localizedCaseInsensitiveContains("quill"))
    }

    /// A server that is killed right after it answered leaves the rest to the next one.
    @Test func goesOnWithManyPatientsAfterACrash() throws {
        let many = 700
        let first = try PosternProcess(data)
        let owner = try register("owner@b.co", first)
        let heir = try register("heir@b.co", first)
        let confirm: JSONValue = ["access_token": heir, "code": .string(try code(2))]
        #expect(try first.reply(to: "care.user.confirm_email", confirm)["result"] != nil)
        for patient in 3..<3 + many {
            first.send("care.patients.create", ["access_token": owner, "first_name": "Kim"])
            first.send(
                "care.patients.share",
                [
                    "access_token": owner, "patient_id": .number("\(patient)"), "email": "heir@b.co",
                    "access": "read", "group": "prime",
                ]
            )
        }
        for _ in 0..<2 * many { #expect(try first.nextReply()["result"] != nil) }
        #expect(try first.reply(to: "care.user.delete", ["access_token": owner])["result"] != nil)
        first.kill()

        let second = try PosternProcess(data)
        let list: JSONValue = ["access_token": heir, "limit": 1, "offset": .number("\(many)")]
        for _ in 0..<20 {
            let page = try second.reply(to: "care.patients.list", list)["result"]
            #expect(page?["count"]?.int == many + 1)
            #expect(page?["patients"]?.array?.first?["creator"]?.string == "heir@b.co")
            #expect(page?["patients"]?.array?.first?["group"]?.string == "owner")
        }
        let deadline = ContinuousClock.now.advanced(by: .seconds(60))
        var statistics = ""
        repeat {
            Thread.sleep(forTimeInterval: 0.1)
            statistics = try PosternProcess.run(["stats"] + data).output
        } while !statistics.contains("care.jobs: 0") && statistics.contains("care.jobs:")
            && ContinuousClock.now < deadline
        #expect(statistics.contains("care.shares: \(many + 1)"))
        second.finish()
    }

    /// From a shell that only ever runs `postern call`, what a deletion left to be done was never done.
    @Test func isDoneToTheEndByOneCall() throws {
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
