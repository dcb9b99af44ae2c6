"""Luigi: publishing stands on the path, the shadow is a leaf.

    PYTHONPATH=. luigi --module luigi_task Night --pipeline PATH --date 2013-10-01 --local-scheduler

`Night` needs the published outputs and the shadow's verdict; whatever is downstream requires `Published` alone.
"""

import json
import subprocess

import luigi

LIVE_FAILED, INTERRUPTED, MACHINE = 5, 130, 6


def understudy(*arguments):
    return subprocess.run(["understudy", *arguments], stdout=subprocess.PIPE, text=True)


class Published(luigi.Task):
    """The live half: anything but 0 fails the task, so that nobody downstream starts on old outputs."""

    pipeline = luigi.Parameter()
    date = luigi.DateParameter()
    retry_count = 3

    def output(self):
        return luigi.LocalTarget(f"{self.pipeline}/done/published-{self.date}.json")

    def run(self):
        ended = understudy("run", "--live", "--json", "--date", str(self.date), self.pipeline)
        if ended.returncode != 0:
            raise RuntimeError(f"understudy exited with {ended.returncode}")
        with self.output().open("w") as file:
            file.write(ended.stdout)


class Shadow(luigi.Task):
    """The shadow half: differences are news, not failures. Only a broken machine makes it try again."""

    pipeline = luigi.Parameter()
    date = luigi.DateParameter()

    def requires(self):
        return Published(pipeline=self.pipeline, date=self.date)

    def output(self):
        return luigi.LocalTarget(f"{self.pipeline}/done/verdict-{self.date}.json")

    def run(self):
        ended = understudy("run", "--shadow", "--json", "--date", str(self.date), self.pipeline)
        if ended.returncode in (LIVE_FAILED, MACHINE, INTERRUPTED):
            raise RuntimeError(f"understudy exited with {ended.returncode}")
        for change, found in json.loads(ended.stdout)["changes"].items():
            print(f"{self.date} {change}: {found['verdict']}")
        with self.output().open("w") as file:
            file.write(ended.stdout)


class Night(luigi.WrapperTask):
    pipeline = luigi.Parameter()
    date = luigi.DateParameter()

    def requires(self):
        yield Published(pipeline=self.pipeline, date=self.date)
        yield Shadow(pipeline=self.pipeline, date=self.date)
