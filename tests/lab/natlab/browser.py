# SPDX-License-Identifier: GPL-3.0-or-later
"""Chromium, without a window, on a machine of the lab."""

import json

from selenium import webdriver
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By

from .wait import eventually


class Browser:
    """Everything is asked from within the machine's namespace, where chromedriver listens too."""

    def __init__(self, machine, profile, width=1200, height=1000):
        self.machine = machine
        options = Options()
        options.binary_location = "/usr/bin/chromium"
        for switch in ("headless=new", "no-sandbox", "disable-gpu", "disable-dev-shm-usage", "disable-extensions"):
            options.add_argument(f"--{switch}")
        options.add_argument(f"--user-data-dir={profile}")
        options.add_argument(f"--window-size={width},{height}")
        # By itself it would look for updates and the like.
        options.add_argument("--disable-background-networking")
        options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
        with machine.inside():
            self.driver = webdriver.Chrome(service=Service("/usr/bin/chromedriver"), options=options)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        with self.machine.inside():
            self.driver.quit()

    def open(self, url):
        with self.machine.inside():
            self.driver.get(url)

    def run(self, script, *arguments):
        """JavaScript; what it returns."""
        with self.machine.inside():
            return self.driver.execute_script(script, *arguments)

    def text(self, selector):
        """As a reader sees it."""
        with self.machine.inside():
            return "\n".join(element.text for element in self.driver.find_elements(By.CSS_SELECTOR, selector))

    def shows(self, selector, text):
        """Waits until it does."""
        eventually(lambda: text in self.text(selector), what=f"{selector} shows {text!r}: {self.text(selector)!r}")

    def prefer(self, scheme):
        """dark or light."""
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        with self.machine.inside():
            self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})

    def resize(self, width, height):
        metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600}
        with self.machine.inside():
            self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)

    def screenshot(self, path):
        with self.machine.inside():
            self.driver.save_screenshot(str(path))

    def complaints(self):
        """What the console says since the last call."""
        with self.machine.inside():
            return [entry["message"] for entry in self.driver.get_log("browser")]

    def requests(self):
        """Addresses on a network that were asked for since the last call."""
        with self.machine.inside():
            messages = [json.loads(entry["message"])["message"] for entry in self.driver.get_log("performance")]
        asked = [m["params"]["request"]["url"] for m in messages if m["method"] == "Network.requestWillBeSent"]
        return [url for url in asked if not url.startswith("chrome:")]
