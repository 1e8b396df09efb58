import Accounts
import JSON
import Mail
import Service
import Store

extension Command {
    /// Lists or shows the mails of the outbox, makes a mail due now, or delivers the mails that are due.
    func openOutbox(_ options: Options) throws(CommandError) {
        switch (options.words[0], options.words.count) {
        case ("list", 1): try listMails(options)
        case ("show", 2): try showMail(options.words[1], options)
        case ("retry", 2): try retryMail(options.words[1], options)
        case ("deliver", 1): try deliverMails(options)
        default: throw .usage("postern outbox takes \(words)")
        }
    }

    /// Prints one line per mail with columns separated by tabs: number, created, state, address, subject, attempts,
    /// next attempt and last error.
    private func listMails(_ options: Options) throws(CommandError) {
        let wiring = try Wiring(options)
        let mails = try wiring.read { outbox, tx in try outbox.all(in: tx) }
        for mail in mails {
            let next = mail.nextAttempt.map { "\($0)" } ?? "-"
            let delivery = "\(mail.attempts)\t\(next)\t\(mail.lastError ?? "-")"
            print("\(mail.id)\t\(mail.created)\t\(mail.state)\t\(mail.to)\t\(mail.subject)\t\(delivery)")
        }
    }

    private func showMail(_ number: String, _ options: Options) throws(CommandError) {
        let wiring = try Wiring(options)
        let found = try wiring.read { outbox, tx in
            try Int(number).flatMap { try outbox.mail($0, in: tx) }.map { ($0, try outbox.text(of: $0, in: tx)) }
        }
        guard let (mail, text) = found else { throw .failed("there is no mail \(number)") }
        print("To: \(mail.to)\nSubject: \(mail.subject)\nDate: \(mail.created)\nState: \(mail.state)")
        print("Attempts: \(mail.attempts)")
        if let next = mail.nextAttempt { print("Next attempt: \(next)") }
        if let error = mail.lastError { print("Last error: \(error)") }
        print("\n\(text ?? "The text was erased after delivery or expiry.")")
    }

    private func retryMail(_ number: String, _ options: Options) throws(CommandError) {
        guard let id = Int(number) else { throw .usage("the ID of a mail is a number, not \(number)") }
        var params: [JSONValue.Property] = [.init("id", .number(String(id)))]
        if let actor = options.actor { params.append(.init("actor", .string(actor))) }
        let administration = try AdministrationCalls(options)
        defer { administration.finish() }
        _ = try administration.call("admin.outbox.retry", .object(params))
    }

    private func deliverMails(_ options: Options) throws(CommandError) {
        guard options.mail != .keep else { throw .usage("postern outbox deliver needs --mail") }
        let wiring = try Wiring(options)
        defer { wiring.backend.store.close() }
        guard let failures = wiring.courier?.deliverAll() else { throw .failed("the outbox cannot be used") }
        if failures > 0 { throw .failed("mails that could not be delivered: \(failures)") }
    }
}

extension Wiring {
    /// Reads the outbox and closes the store.
    fileprivate func read<Value>(_ body: (Outbox, Transaction) throws -> Value) throws(CommandError) -> Value {
        defer { backend.store.close() }
        do {
            let value = try backend.store.read { try body(backend.apis.environment.outbox, $0) }
            try backend.store.makeDurable()
            return value
        } catch {
            throw .failed("\(error)")
        }
    }
}
