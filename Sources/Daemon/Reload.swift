import Logging
import Mesh
import ServiceLifecycle
import UnixSignals

/// Reads `hearth.toml` and `trusted.d` again on `SIGHUP` and takes over services, forwards, the account and friends; a bad file changes nothing.
///
/// More than eight properties: the files, and all that they may change.
struct Reload: Service {
  /// nil where the daemon runs without a file.
  let file: String?
  /// The folder `trusted.d`; nil where there can be none.
  let trusted: String?
  let running: Configuration
  let trustService: TrustService
  let book: ServiceBook
  let forwardBook: ForwardBook
  let accountBook: AccountBook
  let notifier: ServiceNotifier
  let logger: Logger

  func run() async {
    for await _ in await UnixSignalsSequence(trapping: .sighup).cancelOnGracefulShutdown() {
      notifier.reloading()
      await reload()
      notifier.ready("reloaded")
    }
  }

  private func reload() async {
    do {
      let fleet = try TrustedFolder.read(trusted)
      let configuration = try file.map(ConfigurationFile.read) ?? running
      if file != nil {
        try await book.reload(configuration.services)
        await forwardBook.reload(configuration.forwards)
        await accountBook.reload(configuration.account)
      }
      await trustService.setFleet(fleet)
      logger.notice(
        "reloaded",
        metadata: [
          "file": "\(file ?? "none")", "services": "\(configuration.services.count)", "trusted": "\(fleet.count)",
        ])
      if configuration.node != running.node || configuration.front != running.front
        || configuration.limits != running.limits || configuration.transfer != running.transfer
        || configuration.log != running.log || configuration.metrics != running.metrics
        || configuration.component != running.component
      {
        logger.warning(
          "changes under [node], [front], [limits], [transfer], [log], [metrics] and [component] need a restart",
          metadata: ["file": "\(file ?? "none")"])
      }
    } catch {
      logger.error("not reloaded, all goes on as before", metadata: ["error": "\(error)"])
    }
  }
}
