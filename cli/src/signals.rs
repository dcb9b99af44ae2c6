//! Ctrl-C and SIGTERM: a wish to stop, heard by everything that waits.

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

/// Gives a receiver that turns true at the first SIGINT or SIGTERM. Must be called within a runtime.
pub(crate) fn interruptions() -> watch::Receiver<bool> {
    let (sender, receiver) = watch::channel(false);
    tokio::spawn(async move {
        let (Ok(mut interrupt), Ok(mut terminate)) = (
            signal(SignalKind::interrupt()),
            signal(SignalKind::terminate()),
        ) else {
            return;
        };
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
        let _ = sender.send(true);
        // The sender stays alive, so that receivers go on hearing `true`.
        std::future::pending::<()>().await;
    });
    receiver
}
