import Accounts
import ProgramSignIn
import Service
import Store

/// Answers other programs whether a person may sign in.
struct ProgramSignIns {
    private let backend: Backend
    private let api: any AccountAPI
    private let role: String?
    private let log: Log

    /// Opens the store.
    ///
    /// - Throws: `CommandError`; its exit code is 111 unless the command line is wrong.
    init(_ options: Options) throws(CommandError) {
        let (realm, role) = try options.admitted
        do throws(CommandError) {
            let wiring = try Wiring(options)
            (backend, log) = (wiring.backend, wiring.log)
        } catch {
            throw error.exit == .usage ? error : .unanswered(error.message)
        }
        (api, self.role) = (backend.apis[realm], role)
    }

    /// The answer to a question. It is durable, and so is the count of a failure.
    func verdict(on question: Question) -> Verdict {
        do {
            let verdict = try answer(question)
            try backend.store.makeDurable()
            return verdict
        } catch {
            backend.store.discardStaged()
            // The text of another error may contain data of the question.
            let reason = (error as? StoreError).map { "\($0)" } ?? "\(type(of: error))"
            log.write(.error, "a sign-in was not answered: \(reason)")
            return .later
        }
    }

    private func answer(_ question: Question) throws -> Verdict {
        switch question {
        case .refused(let reason):
            return Self.refuse(because: reason, log)
        case .isKnown(let name):
            return try api.mayEnterProgram(email: name, role: role) ? .known : .no
        case .attempt(let attempt):
            let client = OriginFields(ip: attempt.ip.map { .value($0) } ?? .absent, agent: .value(attempt.agent))
            do {
                let progress = try api.signInToProgram(
                    email: attempt.name,
                    password: attempt.password,
                    role: role,
                    client: client
                )
                return .yes(try progress.finished(with: backend.apis))
            } catch let error as AccountError {
                log.write(.info, "a sign-in was refused: \(error.codes[0].slug)")
                return .no
            }
        }
    }

    /// The answer to what is never granted.
    static func refuse(because reason: String, _ log: Log) -> Verdict {
        log.write(.warning, "a sign-in was refused: \(reason)")
        return .no
    }

    /// Does the work that the store has between two questions.
    func maintain() { _ = backend.store.maintain() }

    /// Closes the store.
    ///
    /// It leaves mails and the jobs of other requests to the server: a program that waits for an answer should not wait
    /// for them.
    func close() { backend.store.close() }
}
