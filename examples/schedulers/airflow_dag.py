"""Airflow: publishing stands on the path, the shadow is a leaf, and an external job asks which version is live."""

import os

import pendulum
from airflow import DAG
from airflow.exceptions import AirflowFailException, AirflowSkipException
from airflow.models.baseoperator import BaseOperator
from airflow.providers.standard.operators.bash import BashOperator

PIPELINE = os.environ.get("UNDERSTUDY_PIPELINE", "/pipelines/flights")
USAGE, NOT_CHECKED, UNEXPECTED = 2, 3, 1


class UnderstudyOperator(BaseOperator):
    """`understudy run` for the date of the data interval, one half of it."""

    template_fields = ("date",)

    def __init__(self, *, half, pipeline=PIPELINE, date="{{ ds }}", **settings):
        # A pipeline file that is wrong stays wrong, and a verdict is not to be tried again.
        super().__init__(**settings)
        self.half, self.pipeline, self.date = half, pipeline, date

    def execute(self, context):
        import subprocess

        strict = ["--strict"] if self.half == "shadow" else []
        command = ["understudy", "run", f"--{self.half}", *strict, "--date", self.date, self.pipeline]
        code = subprocess.run(command).returncode
        if code == USAGE:
            raise AirflowFailException("the pipeline file is wrong")
        if code == NOT_CHECKED:
            raise AirflowSkipException("not checked: evidence is missing")
        if code == UNEXPECTED:
            raise AirflowFailException("unexpected differences: see `understudy report`")
        if code != 0:
            raise RuntimeError(f"understudy exited with {code}")


with DAG("flights", start_date=pendulum.datetime(2026, 1, 1, tz="UTC"), schedule="@daily", catchup=False) as dag:
    publish = UnderstudyOperator(task_id="publish", half="live", retries=3)
    # Nothing depends on it: what it finds never holds up anybody.
    shadow = UnderstudyOperator(task_id="shadow", half="shadow", retries=0)
    mail = BashOperator(task_id="mail", bash_command="echo whatever comes next")
    # A job that runs a version itself asks who is live for whom.
    external = BashOperator(
        task_id="health_of_acme",
        bash_command=f"VERSION=$(understudy which block_times --customer AA {PIPELINE}) && echo running $VERSION",
    )
    publish >> [mail, shadow, external]
