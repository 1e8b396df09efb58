import Accounts
import Mail
import Platform

extension Command {
    /// Sends a test mail at once, without the outbox, and prints the dialogue.
    func testMail(_ options: Options) throws(CommandError) {
        guard options.words[0] == "test" else { throw .usage("postern mail takes \(words)") }
        guard let address = EmailAddress(options.words[1]) else {
            throw .usage("\(options.words[1]) is not an email address")
        }
        guard let driver = try options.mailRoute.driver(show: { print($0) }) else {
            throw .usage("postern mail test needs --mail with a directory, a command or a mail server")
        }
        // The memory has the password of the mail server.
        ProcessMemory.forbidDumps()
        let sender = options.mailSender ?? MailSender(hostOf: options.publicURL)
        let identity = SystemRandom().uuid()
        let message = InternetMessage(
            testTo: address,
            from: sender,
            messageID: "\(identity)@\(sender.domain)",
            at: SystemTime().now
        )
        do throws(DeliveryFailure) {
            try driver.deliver(message)
        } catch {
            // The dialogue has the rest.
            throw .failed(error.reason)
        }
        print("delivered to \(address.text)")
    }
}
