internal import Platform

/// Submits each mail to a mail server, with the program curl. It speaks TLS and SMTP, checks the server's certificate,
/// and signs in with the mechanisms that the server offers.
///
/// curl reads the server, the password and the addresses from a pipe, because the command line of a process is readable
/// by all users, and the mail on its stdin. Its files of settings in the home directory are not read.
final class SMTPDriver: MailDriver {
    private let server: SMTPServer
    private let seconds: Int
    private let programs = MailPrograms(seconds: Limits.programSeconds)
    private let show: @Sendable (String) -> Void

    /// - Parameters:
    ///   - seconds: how long the server may take for one mail.
    ///   - show: takes each line of the dialogue with the server, without secrets.
    init(
        _ server: SMTPServer,
        seconds: Int = Limits.smtpSeconds,
        show: @escaping @Sendable (String) -> Void = { _ in }
    ) {
        (self.server, self.seconds, self.show) = (server, seconds, show)
    }

    func deliver(_ message: InternetMessage) throws(DeliveryFailure) {
        guard let curl = Program.path(of: SMTPServer.program) else {
            throw DeliveryFailure("the program \(SMTPServer.program) is not installed")
        }
        let settings = try settingsPipe(server.settings(for: message, seconds: seconds))
        defer { settings.close() }
        let dialogue = SMTPDialogue(show: show)
        let outcome = try programs.run(
            SMTPServer.program,
            feeding: message.bytes,
            observe: dialogue.take,
            start: { (input, errors) throws(SystemError) in
                try Program(path: curl, arguments: ["--disable", "--config", "/dev/fd/3"])
                    .start(input: input, output: nil, errors: errors, third: settings)
            }
        )
        dialogue.end()
        guard let failure = outcome.failure else { return }
        let reason = dialogue.error.map { "\(failure): \($0)" } ?? failure
        let detail = dialogue.refusal.flatMap {
            FailureDetail.line(Array($0.utf8)[...], isCut: false, without: message.words)
        }
        throw DeliveryFailure(reason, detail: detail)
    }

    func cancel() { programs.cancel() }

    /// The reading end of a pipe that holds the settings.
    private func settingsPipe(_ text: String) throws(DeliveryFailure) -> FileDescriptor {
        do throws(SystemError) {
            let pipe = try Pipe()
            // A new pipe has room for a page, and the limits of the URL, the password and addresses keep the text below
            // that.
            let error = Array(text.utf8).withUnsafeBytes { WholeWrite.run($0, to: pipe.writer) }
            pipe.writer.close()
            guard let error else { return pipe.reader }
            pipe.reader.close()
            throw error
        } catch {
            throw DeliveryFailure("pipe: \(error)")
        }
    }
}
